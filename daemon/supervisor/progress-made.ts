import type { Exit, Failure } from "../ffmpeg/failure.ts";
import { position, resumePoint } from "../media/position.ts";
import type { Position, RunRecord } from "../store/schemas.ts";

/** Where a run is in its input, for people: FFmpeg's out_time as a place in the item. */
export const placeOf = (record: RunRecord, outTimeMs: number): { ms: number; cycle: number } =>
  position(record.timeline, outTimeMs);

/** The place from which a next run skips nothing; where this one began if it never got anywhere. */
export const reachedBy = (record: RunRecord, outTimeMs: number | null): Position => {
  const { media, timeline } = record;
  const ms =
    outTimeMs === null ? timeline.fromMs : resumePoint(position(timeline, outTimeMs), media, timeline);
  return { ms, sizeBytes: media.sizeBytes, mtimeMs: media.mtimeMs };
};

/** An exit that is no failure: everything was played, or it is time for a fresh process. */
export const goodEnd = (
  exit: Exit,
  record: RunRecord,
  outTimeMs: number | null,
  maxRunMs: number,
): "ended" | "planned" | null => {
  if (exit.code !== 0) return null;
  if (!record.loop) return "ended";
  // A looping playlist is as long as a process may live: coming to its end is planned, unless far too soon.
  return (outTimeMs ?? 0) >= maxRunMs * 0.5 ? "planned" : null;
};

/** A failure that speaks against the place in the input at which the run began. */
export const blamesPosition = (failure: Failure, outTimeMs: number | null): boolean =>
  (outTimeMs ?? 0) < 1_000 &&
  ["input-corrupt", "crashed", "end-of-input", "no-media"].includes(failure.reason);
