import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

/**
 * Replaces a file whole or not at all: temporary file, fsync, rename, fsync of the directory. On any
 * failure what was there is still there, no temporary file is left, and the error is thrown.
 */
export const writeAtomically = async (file: string, text: string, mode: number): Promise<void> => {
  // Random: after a crash a pid may come again, in a container always, and find its old file.
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
    const handle = await open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
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

/** Removes a file for good; one that is not there is no error. */
export const removeDurably = async (file: string): Promise<void> => {
  await rm(file, { force: true });
  await syncDirectory(path.dirname(file));
};

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
