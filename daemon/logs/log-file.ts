import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";

export const sizeOf = (file: string): number => {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
};

/** Up to `most` bytes of a file from `from` on; a negative one counts from the end. */
export const readBytes = (
  file: string,
  from: number,
  most: number,
): { bytes: Buffer; end: number } => {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return { bytes: Buffer.alloc(0), end: 0 };
  }
  try {
    const { size } = fstatSync(fd);
    const start = from < 0 ? Math.max(0, size + from) : Math.min(from, size);
    const buffer = Buffer.alloc(Math.min(most, size - start));
    const length = readSync(fd, buffer, 0, buffer.length, start);
    return { bytes: buffer.subarray(0, length), end: start + length };
  } finally {
    closeSync(fd);
  }
};

/**
 * Keeps FFmpeg's log within its bound: its last `most` bytes become `FILE.1`, whole or not at all, and it
 * is emptied in place, since FFmpeg goes on writing to it. Lines written between the two are lost. Throws
 * the system's error where there is no room for the copy.
 */
export const rotateWhenLonger = (file: string, most: number): void => {
  if (sizeOf(file) <= most) return;
  const copy = `${file}.1.tmp`;
  try {
    copyEnd(file, copy, most);
    renameSync(copy, `${file}.1`);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  } finally {
    // Also where there was no room for the copy: the log's bound holds.
    truncateSync(file, 0);
  }
};

/** In small pieces: large ones, again and again under a flood, would leave this process full of holes. */
const PIECE_BYTES = 65_536;

const copyEnd = (from: string, to: string, most: number): void => {
  const source = openSync(from, "r");
  try {
    const target = openSync(to, "w", 0o640);
    try {
      const { size } = fstatSync(source);
      const buffer = Buffer.alloc(PIECE_BYTES);
      for (let at = Math.max(0, size - most); at < size;) {
        const length = readSync(source, buffer, 0, Math.min(PIECE_BYTES, size - at), at);
        if (length === 0) return;
        at += length;
        for (let done = 0; done < length;) done += writeSync(target, buffer, done, length - done);
      }
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
};
