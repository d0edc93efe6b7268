import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

/*
 * Whatever must survive the loss of power is written, renamed, made and removed here and nowhere else.
 * The functions that wait are for the start of the daemon, when nobody is served yet.
 */

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const NEW_FILE = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;

// Random: after a crash a pid may come again, in a container always, and find its old file.
const temporaryOf = (file: string): string => `${file}.${randomUUID()}.tmp`;

/**
 * Replaces a file whole or not at all: temporary file, fsync, rename, fsync of the directory. On any
 * failure what was there is still there, no temporary file is left, and the error is thrown.
 */
export const writeAtomically = async (file: string, text: string, mode: number): Promise<void> => {
  const temporary = temporaryOf(file);
  try {
    const handle = await open(temporary, NEW_FILE, mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(path.dirname(file));
};

/** The same, waiting for it. */
export const writeAtomicallySync = (file: string, bytes: Buffer, mode: number): void => {
  const temporary = temporaryOf(file);
  try {
    const fd = openSync(temporary, NEW_FILE, mode);
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectorySync(path.dirname(file));
};

/** Removes a file for good; one that is not there is no error. */
export const removeDurably = async (file: string): Promise<void> => {
  await rm(file, { force: true });
  await syncDirectory(path.dirname(file));
};

/** Gives a file another name in its directory, for good. Throws where it still has the old one. */
export const renameDurablySync = (from: string, to: string): void => {
  renameSync(from, to);
  try {
    syncDirectorySync(path.dirname(to));
  } catch {
    // It has its new name for now; should it have the old one again, it is renamed again.
  }
};

/**
 * Makes a directory and its parents, so that what is kept in it cannot be lost with it. Also one that
 * is there is made sure of: whoever made it may have been killed at once. Throws where it cannot be made.
 */
export const makeDirectoryDurably = (directory: string, mode: number): void => {
  const parent = path.dirname(directory);
  if (parent !== directory && !existsSync(parent)) makeDirectoryDurably(parent, mode);
  mkdirSync(directory, { recursive: true, mode });
  try {
    syncDirectorySync(parent);
  } catch {
    // A parent that this user may not read was not made by this user.
  }
};

/** Removes what a kill in the middle of a write left of files whose names begin so; they are whole. */
export const clearHalfWritten = (directory: string, begin = ""): void => {
  try {
    for (const entry of readdirSync(directory))
      if (entry.startsWith(begin) && entry.endsWith(".tmp"))
        rmSync(path.join(directory, entry), { force: true, recursive: true });
  } catch {
    // It is in nobody's way.
  }
};

export const syncDirectorySync = (directory: string): void => {
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, O_RDONLY | O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Does all of a durable write but its rename, and leaves nothing. Rejects as that would. */
export const tryDurably = async (directory: string): Promise<void> => {
  const temporary = temporaryOf(path.join(directory, "trial"));
  const handle = await open(temporary, NEW_FILE, 0o600);
  try {
    await handle.writeFile(".");
    await handle.sync();
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
};
