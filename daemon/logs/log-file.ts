import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
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
 * Keeps FFmpeg's log within its bound: its last `most` bytes become `FILE.1`, and it is emptied in
 * place, since FFmpeg goes on writing to it. Lines written between the two are lost.
 */
export const rotateWhenLonger = (file: string, most: number): void => {
  if (sizeOf(file) <= most) return;
  const copy = `${file}.1.tmp`;
  try {
    writeFileSync(copy, readBytes(file, -most, most).bytes, { mode: 0o640 });
    renameSync(copy, `${file}.1`);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  } finally {
    // Also where there was no room for the copy: the log's bound holds.
    truncateSync(file, 0);
  }
};
