import type { Timeline } from "./timeline.ts";

/** Where a run is: offset into the item in milliseconds, and passes completed since it began. */
export type Position = { readonly ms: number; readonly cycle: number };

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
