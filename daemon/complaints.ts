import { messageOf } from "./log/message-of.ts";

export const NO_INIT =
  "streambrod is process 1 and does not reap what others leave: give it an init (docker run --init), or dead processes pile up.";

export const unmakeable = (error: unknown): string =>
  `The daemon's directories cannot be made: ${messageOf(error)}. Mend their owner, or set STREAMBRO_STATE_DIR and STREAMBRO_RUNTIME_DIR.`;
