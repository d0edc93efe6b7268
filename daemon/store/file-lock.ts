import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { messageOf } from "../log/message-of.ts";

export type HeldLock = {
  /** What the file said before. */
  readonly before: string;
  /** One line. Throws the system's error where it cannot be written; the lock holds all the same. */
  write(text: string): void;
  /** Whether the file is still what its path leads to. */
  isThere(): boolean;
  release(): void;
};

export type FileLock =
  | { readonly is: "taken"; readonly lock: HeldLock }
  /** By another process; `says` is what it wrote into the file. */
  | { readonly is: "held"; readonly says: string }
  | { readonly is: "failed"; readonly why: string };

const MOST_BYTES = 8_192;
/** flock(1)'s exit status where another process holds the lock; what else goes wrong has others. */
const HELD = 75;

/**
 * Takes a file's lock for as long as this process lives. Node has no flock; flock(1) locks the open file
 * description that this process shares with it, so the lock stays here when it has ended, and the kernel
 * frees it with this process. Never throws.
 */
export const takeFileLock = (file: string): FileLock => {
  let fd: number;
  try {
    fd = opened(file);
  } catch (error) {
    return { is: "failed", why: messageOf(error) };
  }
  const { status, error } = spawnSync("flock", ["-n", "-E", String(HELD), "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
    timeout: 10_000,
  });
  if (status === 0) return { is: "taken", lock: held(file, fd) };
  const says = textOf(fd);
  closeSync(fd);
  if (status === HELD) return { is: "held", says };
  if (error !== undefined && "code" in error && error.code === "ENOENT")
    return { is: "failed", why: "flock is missing: install the package util-linux" };
  const why = error === undefined ? `flock ended with ${status ?? "a signal"}` : messageOf(error);
  return { is: "failed", why: `it cannot be locked: ${why}` };
};

/** One that cannot be written, on a file system that became read-only, can be locked all the same. */
const opened = (file: string): number => {
  const { O_RDONLY, O_RDWR, O_CREAT, O_NONBLOCK } = constants;
  try {
    return openSync(file, O_RDWR | O_CREAT | O_NONBLOCK, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EROFS") throw error;
    return openSync(file, O_RDONLY | O_NONBLOCK);
  }
};

const held = (file: string, fd: number): HeldLock => ({
  before: textOf(fd),
  write: (text) => {
    // In this order, into the room that there is: on a full disk none would be left for it.
    writeSync(fd, text, 0);
    ftruncateSync(fd, Buffer.byteLength(text));
  },
  isThere: () => {
    try {
      const [own, there] = [fstatSync(fd), statSync(file)];
      return there.ino === own.ino && there.dev === own.dev;
    } catch {
      return false;
    }
  },
  release: () => closeSync(fd),
});

const textOf = (fd: number): string => {
  const buffer = Buffer.alloc(MOST_BYTES);
  try {
    const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, MOST_BYTES, 0));
    // More than the first line is left of a longer one, by a kill in the middle of a write.
    return (text.split("\n")[0] ?? "").trim();
  } catch {
    // It is locked or not, whatever it says.
    return "";
  }
};
