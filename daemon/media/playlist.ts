import type { MediaInfo } from "./media-info.ts";
import { seconds } from "./packets.ts";

/** How one run's output clock maps to the item: kept with the run, as plain JSON. */
export type Timeline = {
  /** Offset into the item at which the run began, in milliseconds; 0 for its beginning. */
  readonly fromMs: number;
  /**
   * What the run begins with, against `fromMs`: FFmpeg's clock starts at its first packet, which is
   * sound from before the keyframe (negative) or, in MPEG-TS, later than its decoding time.
   */
  readonly leadMs: number;
  /** The same for each pass that begins at the beginning. */
  readonly headMs: number;
  /** Length of the first, possibly shortened pass, in milliseconds. */
  readonly firstMs: number;
  /** Length of each later pass; null where the item is played once. */
  readonly cycleMs: number | null;
};

export type Playlist = {
  /** Name in the run's folder to content. FFmpeg is given `outer.ffconcat`. */
  readonly files: Readonly<Record<PlaylistFile, string>>;
  readonly timeline: Timeline;
};

export type PlaylistFile = "outer.ffconcat" | "middle.ffconcat" | "cycle.ffconcat";

/** The lines of the two lists above the cycle: 100 x 1,000 passes are years of any film over 10 min. */
const OUTER_LINES = 100;
const MIDDLE_LINES = 1000;

/** Past the longest track, so that no packet of the next pass steps back in time. */
const SEAM_MS = 50;

/** Input options for the outer list: copy every packet as the file has it, its keyframes too. */
export const LIST_OPTIONS: readonly string[] = ["-f", "concat", "-safe", "0", "-auto_convert", "0"];

const HEAD = "ffconcat version 1.0\n";

// Without auto_convert, every level would put the parameter sets into each keyframe of H.264. Without
// a duration, a list would end with its last packet, and the next one's pictures step back in time.
const cycles = (lengthMs: number): string =>
  `file cycle.ffconcat\noption auto_convert 0\nduration ${seconds(lengthMs)}\n`;
// Only a list that is not held to be safe may carry options. StreamBro writes all of them itself.
const middles = (lengthMs: number): string =>
  `file middle.ffconcat\noption auto_convert 0\noption safe 0\nduration ${seconds(lengthMs)}\n`;

/**
 * The lists that play one item: `linkName` is the relative name of the link to it in the run's
 * folder, `resumeFrom` an offset into it as `keyframeAtOrBefore` gave it, or 0.
 */
export const playlist = (wanted: {
  readonly linkName: string;
  readonly media: MediaInfo;
  readonly loop: boolean;
  readonly resumeFrom: number;
  readonly leadMs?: number;
}): Playlist => {
  const { linkName, media, loop, resumeFrom, leadMs = 0 } = wanted;
  // Whole microseconds, so that a thousand of them are as long as FFmpeg finds them.
  const cycleMs =
    Math.ceil(Math.max(media.longestTrackMs + SEAM_MS, media.leastPassMs) * 1000) / 1000;
  const firstMs = cycleMs - resumeFrom;
  const whole = `file ${linkName}\nduration ${seconds(cycleMs)}\n`;
  const rest = `file ${linkName}\ninpoint ${seconds(media.startMs + resumeFrom)}\nduration ${seconds(firstMs)}\n`;
  const first = resumeFrom > 0 ? rest : loop ? "" : whole;
  return {
    files: {
      "outer.ffconcat":
        HEAD + first + (loop ? middles(cycleMs * MIDDLE_LINES).repeat(OUTER_LINES) : ""),
      "middle.ffconcat": HEAD + cycles(cycleMs).repeat(MIDDLE_LINES),
      "cycle.ffconcat": HEAD + whole,
    },
    timeline: {
      fromMs: resumeFrom,
      leadMs,
      headMs: media.headMs,
      firstMs,
      cycleMs: loop ? cycleMs : null,
    },
  };
};
