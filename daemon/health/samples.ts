import type { Connection } from "./sockets.ts";

/** One look at a stream that runs. */
export type Sample = {
  /** On a clock that never jumps, in milliseconds. */
  readonly at: number;
  /** Media time that FFmpeg has written; null where it does not say. */
  readonly mediaMs: number | null;
  /** Bytes that FFmpeg has written; null where it does not say. */
  readonly written: number | null;
  /** Null where the kernel cannot tell, as for SRT, which is UDP. */
  readonly connection: Connection | null;
  /** Bytes that FFmpeg has read of its input, where the connection tells nothing; null where not known. */
  readonly read?: number | null;
};

/** How far back is looked. */
const SPAN_MS = 60_000;
/** Closer looks than this are not worth their place. */
const SPACING_MS = 450;
/** Time in which nobody looked is not judged: this daemon was suspended, or the whole machine. */
const GAP_MS = 6_000;

/**
 * Adds a look and lets go of what is too old; the first one kept is at or before the span. `needMs`: how
 * far back somebody wants to look, where that is further than usual.
 */
export const withSample = (
  samples: readonly Sample[],
  sample: Sample,
  needMs = 0,
): readonly Sample[] => {
  const last = samples.at(-1);
  if (last === undefined || sample.at - last.at > GAP_MS || sample.at < last.at) return [sample];
  const before = samples.at(-2);
  // The newest is always there; the one before it gives way where they crowd.
  const isCrowded = before !== undefined && last.at - before.at < SPACING_MS;
  const all = [...(isCrowded ? samples.slice(0, -1) : samples), sample];
  const span = Math.max(SPAN_MS, needMs);
  const from = all.findLastIndex(({ at }) => sample.at - at >= span);
  return from > 0 ? all.slice(from) : all;
};

/** The last sample that is at least so much older than the newest; null where none is. */
export const backFrom = (samples: readonly Sample[], ms: number): Sample | null => {
  const end = samples.at(-1)?.at ?? 0;
  return samples.findLast(({ at }) => end - at >= ms) ?? null;
};

/** Media seconds written per second of real time; null where FFmpeg does not say. */
export const speedBetween = (from: Sample, to: Sample): number | null =>
  from.mediaMs === null || to.mediaMs === null || to.at <= from.at
    ? null
    : (to.mediaMs - from.mediaMs) / (to.at - from.at);

/** Bytes that FFmpeg has written between two looks; null where it does not say. */
export const writtenBetween = (from: Sample, to: Sample): number | null =>
  from.written === null || to.written === null ? null : to.written - from.written;

/** Bytes that the receiver's kernel has acknowledged between two looks. */
export const ackedBetween = (from: Sample, to: Sample): number | null =>
  from.connection === null || to.connection === null
    ? null
    : to.connection.acked - from.connection.acked;
