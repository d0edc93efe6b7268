import type { MediaInfo } from "./media-info.ts";
import type { Timeline } from "./playlist.ts";

/** Where a run is: offset into the item in milliseconds, and passes completed since it began. */
export type Position = { readonly ms: number; readonly cycle: number };

/** FFmpeg's muxer waits this long for a track that is silent before it sends the other alone. */
const MUXER_PATIENCE_MS = 10_000;

/** What FFmpeg's `out_time`, in milliseconds, means in the item. */
export const position = (timeline: Timeline, outTimeMs: number): Position => {
  const { fromMs, leadMs, headMs, firstMs, cycleMs } = timeline;
  // The lists normalise the clock of a pass from the beginning, so that its head is at 0.
  const out = Math.max(0, outTimeMs + leadMs);
  if (cycleMs === null || out < firstMs) {
    return { ms: Math.max(0, fromMs === 0 ? out + headMs : fromMs + out), cycle: 0 };
  }
  const later = out - firstMs;
  const passes = Math.floor(later / cycleMs);
  return { ms: Math.max(0, later - passes * cycleMs + headMs), cycle: passes + 1 };
};

/**
 * How far `out_time` may be ahead of what the receiver has been sent whole:
 * - it counts from the first packet of the run, whose sound begins up to the reordering of the
 *   keyframe and one frame of sound before it, more where the file's tracks are not side by side;
 * - it is the end of the packet furthest ahead, while the muxer holds that one back until the other
 *   track has one as late;
 * - the sound that a seek starts with may lie later in the file than the keyframe.
 */
const slack = (media: MediaInfo): number =>
  media.video.reorderMs + media.video.frameMs + 2 * (media.audio?.frameMs ?? 0) + 2 * media.skewMs;

/**
 * The offset into the item before which the receiver has everything: what to ask `keyframeAtOrBefore`
 * for. It can lie in the pass before `at`, near its end; never before the point the run began from.
 */
export const resumePoint = (at: Position, media: MediaInfo, timeline: Timeline): number => {
  const { fromMs, cycleMs } = timeline;
  const { shared } = media;
  const sure = at.ms - slack(media);
  // Past the end of one track the other is held back until both play again, in the next pass.
  const sent = (ms: number): number => Math.max(Math.min(ms, shared.toMs), ms - MUXER_PATIENCE_MS);
  if (at.cycle === 0 || cycleMs === null) return Math.max(fromMs, sent(sure));
  if (sure >= shared.fromMs) return Math.max(0, sent(sure));
  const before = sent(sure + cycleMs);
  if (before >= media.longestTrackMs) return 0;
  return Math.max(at.cycle === 1 ? fromMs : 0, before);
};
