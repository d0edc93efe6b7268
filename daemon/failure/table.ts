import { EXITS, UNEXPLAINED } from "./exits.ts";
import { INPUT, TRACKS } from "./input.ts";
import { BUILD, MACHINE } from "./machine.ts";
import { ANSWERED, CONNECTION, RECEIVER } from "./receiver.ts";
import type { Row } from "./row.ts";

/**
 * How FFmpeg's end becomes a reason: the first row that fits wins, and the last fits always. A
 * rejected key is no permanent failure: platforms reject good ones too, while a broadcast is being set
 * up or an earlier connection has not been noticed to be gone, and a stream that gave up at 3 a.m.
 * would be off the air until somebody looked. What cannot heal by itself is permanent: what this
 * FFmpeg or the container cannot do.
 */
export const FAILURES: readonly Row[] = [
  ...EXITS,
  // Before what this machine lacks: a server may be out of memory too.
  ...ANSWERED,
  ...MACHINE,
  ...RECEIVER,
  ...TRACKS,
  ...BUILD,
  ...INPUT,
  ...CONNECTION,
  ...UNEXPLAINED,
];
