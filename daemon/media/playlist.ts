import { DEMUXERS } from "./demuxers.ts";
import type { Landing } from "./landing.ts";
import type { MediaInfo } from "./media-info.ts";
import { seconds } from "./packets.ts";
import type { Timeline } from "./timeline.ts";

/** The lists in a run's folder. FFmpeg is given `outer.ffconcat`. */
export type Lists = Readonly<
  Record<"outer.ffconcat" | "middle.ffconcat" | "cycle.ffconcat", string>
>;

/** Passes that one line of the outer list stands for, so that millions need but thousands of lines. */
const MIDDLE_LINES = 1000;

/** Past the longest track, so that no packet of the next pass steps back in time. */
const SEAM_MS = 50;

/** Input options for the outer list: copy every packet as the file has it, its keyframes too. */
export const LIST_OPTIONS: readonly string[] = ["-f", "concat", "-safe", "0", "-auto_convert", "0"];

const HEAD = "ffconcat version 1.0\n";

// An item is never a list itself, whatever it has become since it was examined.
const ITEM = `option format_whitelist ${DEMUXERS}\n`;

// Without auto_convert, every level would put the parameter sets into each keyframe of H.264. Without
// a duration, a list would end with its last packet, and the next one's pictures step back in time.
// Only a list that is not held to be safe may carry options. StreamBro writes all of them itself.
const cycles = (lengthMs: number): string =>
  `file cycle.ffconcat\noption auto_convert 0\noption safe 0\nduration ${seconds(lengthMs)}\n`;
const middles = (lengthMs: number): string =>
  `file middle.ffconcat\noption auto_convert 0\noption safe 0\nduration ${seconds(lengthMs)}\n`;

/**
 * How an item is played: from `landing` on, and where it loops, as often as fits into `maxRunMs`, so
 * that a process ends by itself at an item's end.
 */
export const timelineOf = (wanted: {
  readonly media: MediaInfo;
  readonly loop: boolean;
  readonly landing: Landing;
  readonly maxRunMs: number;
}): Timeline => {
  const { media, loop, landing, maxRunMs } = wanted;
  // Whole microseconds, so that a thousand of them are as long as FFmpeg finds them.
  const passMs =
    Math.ceil(Math.max(media.longestTrackMs + SEAM_MS, media.leastPassMs) * 1000) / 1000;
  const firstMs = passMs - landing.fromMs;
  return {
    ...landing,
    headMs: media.headMs,
    firstMs,
    cycleMs: loop ? passMs : null,
    passes: loop ? Math.max(1, Math.floor((maxRunMs - firstMs) / passMs)) : 0,
  };
};

/** The lists that play one item so; `linkName` is the relative name of the link to it. */
export const listsOf = (linkName: string, media: MediaInfo, timeline: Timeline): Lists => {
  const { fromMs, firstMs, passes } = timeline;
  const passMs = firstMs + fromMs;
  const whole = `file ${linkName}\n${ITEM}duration ${seconds(passMs)}\n`;
  const rest = `file ${linkName}\n${ITEM}inpoint ${seconds(media.startMs + fromMs)}\nduration ${seconds(firstMs)}\n`;
  const later =
    middles(passMs * MIDDLE_LINES).repeat(Math.floor(passes / MIDDLE_LINES)) +
    cycles(passMs).repeat(passes % MIDDLE_LINES);
  return {
    "outer.ffconcat": HEAD + (fromMs > 0 ? rest : whole) + later,
    "middle.ffconcat": HEAD + cycles(passMs).repeat(MIDDLE_LINES),
    "cycle.ffconcat": HEAD + whole,
  };
};
