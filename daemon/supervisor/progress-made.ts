import type { Exit, Failure } from "../ffmpeg/failure.ts";
import { position } from "../media/position.ts";
import type { ReadProgress } from "../runner/progress-file.ts";
import type { RunRecord } from "../store/schemas.ts";

/** Where a run is in its input, for people: FFmpeg's out_time as a place in the item. */
export const placeOf = (record: RunRecord, outTimeMs: number): { ms: number; cycle: number } =>
  position(record.timeline, outTimeMs);

/** An exit that is no failure: everything was played, or it is time for a fresh process. */
export const goodEnd = (
  exit: Exit,
  record: RunRecord,
  outTimeMs: number | null,
): "ended" | "planned" | null => {
  if (exit.code !== 0) return null;
  if (!record.loop) return "ended";
  // A looping playlist is as long as one process may live; its end is planned, an early one is not.
  const { firstMs, cycleMs, passes } = record.timeline;
  const wholeMs = firstMs + passes * (cycleMs ?? 0);
  return (outTimeMs ?? 0) > wholeMs - (cycleMs ?? 0) ? "planned" : null;
};

/** A failure that speaks against the place in the input at which the run began. */
export const blamesPosition = (failure: Failure, outTimeMs: number | null): boolean =>
  (outTimeMs ?? 0) < 1_000 &&
  ["input-corrupt", "crashed", "end-of-input", "no-media"].includes(failure.reason);

/**
 * Whether what FFmpeg last wrote says that it is on the air. A report from the future says as little as
 * an old one: the clock has been set.
 */
export const isFlowing = (progress: ReadProgress | null, now: number): boolean =>
  progress !== null &&
  Math.abs(now - progress.writtenAt) < 5_000 &&
  (progress.report.outTimeMs ?? 0) > 0;
