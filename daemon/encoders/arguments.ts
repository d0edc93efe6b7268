import { type Candidate, candidateOf } from "./candidates.ts";
import type { EncoderChoice } from "./choice.ts";

/** A constant bit rate and frame rate: what platforms ask for. */
export type Rate = {
  readonly videoKbps: number;
  /** Frames a second that the filters give; may be a fraction, such as 30000/1001. */
  readonly fps: number;
};

/** Pieces of FFmpeg's command line for one encoded video track. */
export type EncoderArguments = {
  /** Before the inputs. */
  readonly global: readonly string[];
  /** For the end of the filter chain: never empty. */
  readonly filters: readonly string[];
  /** Of the output. */
  readonly output: readonly string[];
};

/** Platforms ask for a keyframe this often: a viewer waits for one, and so does every change of quality. */
export const KEYFRAME_S = 2;

/**
 * How to encode with an encoder: at a constant bit rate, a keyframe every two seconds and at no cut of
 * the picture. Throws for an encoder that is no candidate, which `choose` never gives.
 */
export const encoderArguments = (choice: EncoderChoice, rate: Rate): EncoderArguments => {
  const candidate = candidateOf(choice.name);
  if (candidate === null) throw new Error(`no such encoder: ${choice.name}`);
  const kbps = `${rate.videoKbps}k`;
  // Rounded up, so that at 29.97 frames a second the expression decides and this never comes before it.
  const group = String(Math.ceil(KEYFRAME_S * rate.fps - 1e-6));
  const preset = presetFor(candidate, choice.preset);
  return {
    global:
      candidate.needsRenderNode && choice.device !== null ? ["-vaapi_device", choice.device] : [],
    filters: candidate.filters,
    output: [
      ...["-c:v", candidate.name],
      ...(candidate.preset === null || preset === null ? [] : [candidate.preset.option, preset]),
      ...candidate.extra,
      // A buffer of one second: what a receiver with little of its own can take.
      ...["-b:v", kbps, "-minrate", kbps, "-maxrate", kbps, "-bufsize", kbps],
      ...["-g", group, "-keyint_min", group],
      ...["-force_key_frames", `expr:gte(t,n_forced*${KEYFRAME_S})`],
    ],
  };
};

/**
 * The preset an encoder runs with: the wanted one where it knows that, else its own. A stream that asks
 * for `p6` has to run with libx264 as well.
 */
export const presetFor = ({ preset }: Candidate, wanted: string | null): string | null => {
  if (preset === null) return null;
  return wanted !== null && preset.words.includes(wanted) ? wanted : preset.own;
};
