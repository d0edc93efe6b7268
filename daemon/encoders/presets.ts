import type { EncoderChoice } from "./choice.ts";

const X264 = "ultrafast superfast veryfast faster fast medium slow slower veryslow placebo";
const NVENC = "p1 p2 p3 p4 p5 p6 p7";
const QSV = "veryfast faster fast medium slow slower veryslow";

/** Presets by encoder; one that is not here takes what it is given, or has none. */
const PRESETS: Readonly<Record<string, readonly string[]>> = {
  libx264: X264.split(" "),
  h264_nvenc: NVENC.split(" "),
  h264_qsv: QSV.split(" "),
};

/** Why an encoder cannot work with a preset; null where it can, or nobody knows. */
export const presetMisfit = (encoder: string, preset: string): string | null => {
  const known = PRESETS[encoder];
  if (known === undefined || known.includes(preset)) return null;
  return `${encoder} has no preset called ${preset}: use one of ${known.join(", ")}`;
};

/** With the preset that an operator named, where the encoder has it: after a fallback it may not. */
export const withPreset = (choice: EncoderChoice, preset: string | null): EncoderChoice =>
  preset === null || presetMisfit(choice.name, preset) !== null ? choice : { ...choice, preset };

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
