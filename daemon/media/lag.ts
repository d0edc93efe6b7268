import type { EncoderChoice } from "../encoders/choice.ts";
import { framesHeld } from "../encoders/frames-held.ts";
import type { TrackPlan } from "./track-plan.ts";

/** For what resampler and AAC hold back, and then some: better a second twice than a moment not at all. */
const MARGIN_MS = 1_000;

/**
 * How far what the receiver has may lie behind FFmpeg's `out_time`, which is that of the track furthest
 * ahead: a copied sound is far ahead of a picture that an encoder looks at from all sides first.
 */
export const lagOf = (
  { video, audio }: TrackPlan,
  encoder: EncoderChoice | null,
  cores: number,
): number => {
  const isCopied = audio.action === "copy" || audio.action === "none";
  if (video.action === "copy") return isCopied ? 0 : MARGIN_MS;
  const frames = encoder === null ? 0 : framesHeld(encoder, cores);
  return Math.round(MARGIN_MS + (1_000 * frames) / video.picture.fps);
};
