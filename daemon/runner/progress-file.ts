import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { type ProgressReport, lastReport } from "../ffmpeg/progress.ts";

/** More than any one report. */
const TAIL_BYTES = 4_096;
const MOST_BYTES = 262_144;

/** FFmpeg's last report and when it was written, in milliseconds since the epoch. */
export type ReadProgress = { readonly report: ProgressReport; readonly writtenAt: number };

/**
 * The last report in a run directory's progress file; a file that has grown is emptied in place. Where
 * the file was removed, FFmpeg's own descriptor still leads to it.
 */
export const readProgress = (directory: string, ffmpegPid: number): ReadProgress | null => {
  for (const file of [path.join(directory, "progress"), `/proc/${ffmpegPid}/fd/3`]) {
    let fd: number;
    try {
      fd = openSync(file, "r+");
    } catch {
      continue;
    }
    try {
      return readTail(fd);
    } catch {
      return null;
    } finally {
      closeSync(fd);
    }
  }
  return null;
};

const readTail = (fd: number): ReadProgress | null => {
  const { size, mtimeMs } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const length = readSync(fd, tail, 0, tail.length, size - tail.length);
  const report = lastReport(tail.toString("latin1", 0, length));
  if (size > MOST_BYTES && report !== null) ftruncateSync(fd, 0);
  return report === null ? null : { report, writtenAt: mtimeMs };
};
