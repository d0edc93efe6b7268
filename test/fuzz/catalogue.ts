import type { Target } from "./engine.ts";
import { FFMPEG } from "./targets/ffmpeg.ts";
import { MACHINE } from "./targets/machine.ts";
import { MEDIA } from "./targets/media.ts";
import { RECORDS } from "./targets/records.ts";
import { TALK } from "./targets/talk.ts";

/** Every parser that reads what others write. */
export const CATALOGUE: readonly Target[] = [...TALK, ...MACHINE, ...FFMPEG, ...MEDIA, ...RECORDS];
