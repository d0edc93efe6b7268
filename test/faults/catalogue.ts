import { JUMPED } from "./clock-jump.ts";
import type { Fault } from "./fault.ts";
import { REPLACED } from "./ffmpeg-replaced.ts";
import { FULL } from "./full-disk.ts";
import { KILLS } from "./kills.ts";
import { LOST } from "./lost-run-directory.ts";
import { DESCRIPTORS } from "./no-descriptors.ts";
import { REUSE } from "./pid-reuse.ts";
import { RACES } from "./racing-clients.ts";
import { ABUSE } from "./rpc-abuse.ts";
import { RECEIVERS } from "./receivers.ts";
import { SUSPENSIONS } from "./suspensions.ts";
import { TORN } from "./torn-state.ts";

/** Every fault there is. */
export const CATALOGUE: readonly Fault[] = [
  ...KILLS,
  ...SUSPENSIONS,
  ...RECEIVERS,
  ...TORN,
  ...LOST,
  ...FULL,
  ...DESCRIPTORS,
  ...REUSE,
  ...JUMPED,
  ...RACES,
  ...ABUSE,
  ...REPLACED,
];
