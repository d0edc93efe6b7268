import type { EncoderChoice } from "./choice.ts";

export type EncoderArguments = {
  /** Before every input. */
  readonly global: readonly string[];
  /** Behind the filters of the picture itself. */
  readonly filters: readonly string[];
  /** Options of the output's picture. */
  readonly output: readonly string[];
};

/** What FFmpeg is told of an encoder: constant bitrate, a keyframe every two seconds. */
export const encoderArguments = (
  choice: EncoderChoice,
  rate: { readonly videoKbps: number; readonly fps: number },
): EncoderArguments => {
  const kbps = `${rate.videoKbps}k`;
  const group = String(Math.max(1, Math.round(rate.fps * 2)));
  return {
    global: [],
    filters: ["format=yuv420p"],
    output: [
      ...["-c:v", choice.name],
      ...(choice.preset === null ? [] : ["-preset", choice.preset]),
      ...["-b:v", kbps, "-minrate", kbps, "-maxrate", kbps, "-bufsize", kbps],
      ...["-x264-params", "nal-hrd=cbr"],
      ...["-g", group, "-keyint_min", group, "-sc_threshold", "0"],
    ],
  };
};
