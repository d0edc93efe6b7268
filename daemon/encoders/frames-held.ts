import type { EncoderChoice } from "./choice.ts";

/** Frames that x264 looks ahead before it lets go of the first one. */
const LOOK_AHEAD: Readonly<Record<string, number>> = {
  ultrafast: 0,
  superfast: 0,
  veryfast: 10,
  faster: 20,
  fast: 30,
  medium: 40,
  slow: 50,
};
const MOST_LOOK_AHEAD = 60;
/** Frames that wait for their turn, to be shown or to be taken by one of the threads. */
const IN_HAND = 8;

/** At most so many frames are in an encoder: taken, counted, and not yet delivered. */
export const framesHeld = ({ preset }: EncoderChoice, cores: number): number =>
  (LOOK_AHEAD[preset ?? "medium"] ?? MOST_LOOK_AHEAD) + Math.ceil(cores * 1.5) + IN_HAND;
