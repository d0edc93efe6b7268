import { readFileSync } from "node:fs";
import path from "node:path";
import { type Found, readRecord } from "../store/record-file.ts";
import { RunRecord } from "../store/schemas.ts";
import { type Exit, exitOf } from "../ffmpeg/failure.ts";
import { type Identity, bootId } from "./identity.ts";

/** The pair of processes of a run; the runner is null where only FFmpeg was found. */
export type Pids = { readonly runner: Identity | null; readonly ffmpeg: Identity };

const read = (file: string): string | null => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
};

/** What a run directory's `run.json` says, or why it cannot be read. */
export const lookAtRunRecord = (directory: string): Found<RunRecord> =>
  readRecord(path.join(directory, "run.json"), RunRecord);

/** The same; null where it is missing, cut off or newer. */
export const readRunRecord = (directory: string): RunRecord | null => {
  const found = lookAtRunRecord(directory);
  return found.is === "good" ? found.value : null;
};

export const isOfThisBoot = (record: RunRecord): boolean => record.bootId === bootId();

/**
 * `pids`, as the runner wrote it: its own pid and start time, then FFmpeg's. No version: a runner of any
 * release writes these four numbers and nothing else; what is new goes into a file of its own.
 */
export const readPids = (directory: string): Pids | null => {
  const words = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15})\n?$/.exec(
    read(path.join(directory, "pids")) ?? "",
  );
  const [runner = 0, runnerStart = 0, ffmpeg = 0, ffmpegStart = 0] = (words ?? [])
    .slice(1)
    .map(Number);
  // No start time: it had ended before it could be read, and its exit is on record.
  if (runner <= 1 || ffmpeg <= 1) return null;
  return {
    runner: { pid: runner, startTime: runnerStart },
    ffmpeg: { pid: ffmpeg, startTime: ffmpegStart },
  };
};

/** `exit`, as the runner wrote it, one number for every release; null where there is none: not known, and never 0. */
export const readExit = (directory: string): Exit | null => {
  const text = read(path.join(directory, "exit"))?.trim() ?? "";
  return /^[0-9]{1,3}$/.test(text) && Number(text) < 256 ? exitOf(Number(text)) : null;
};
