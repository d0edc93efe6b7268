import type { Encoder } from "../../shared/contract/daemon.ts";
import { CANDIDATES, SOFTWARE, candidateOf } from "./candidates.ts";

/** An H.264 encoder to run with, and all that its command line needs to know of it. */
export type EncoderChoice = {
  /** FFmpeg's name, such as `h264_nvenc` or `libx264`. */
  readonly name: string;
  readonly kind: "hardware" | "software";
  /** The device it is opened on, such as `/dev/dri/renderD128`; null where it finds its own. */
  readonly device: string | null;
  /** In the encoder's own words. */
  readonly preset: string | null;
};

export type Chosen =
  | {
      readonly ok: true;
      readonly encoder: EncoderChoice;
      /** Why it is not the encoder that was asked for; null where it is, or where none was. */
      readonly fallback: string | null;
    }
  /** A sentence: an encoder that was asked for does not work, or none does. */
  | { readonly ok: false; readonly message: string };

/** What the streams ask of the encoders; waits for a detection under way. */
export type EncoderSource = {
  /**
   * The encoder for a stream. `asked` is the one its specification names, or null for the best that
   * works here; `softwareOnly` where its hardware encoder has failed since an operator started it.
   */
  choose(asked: string | null, softwareOnly: boolean): Promise<Chosen>;
};

/** The settings that a choice depends on. */
export type Policy = {
  readonly PREFER_HARDWARE_ENCODING: boolean;
  readonly HARDWARE_ENCODER_FALLBACK: boolean;
  readonly HARDWARE_ENCODING_ENABLED: boolean;
};

/** The encoder for a stream, of those that were tried. */
export const chooseEncoder = (
  encoders: readonly Encoder[],
  policy: Policy,
  asked: string | null,
  softwareOnly: boolean,
): Chosen => {
  if (asked !== null && candidateOf(asked) === null) return refused(unknown(asked));
  if (softwareOnly) return software(encoders, null);
  if (asked === null) {
    const best = preferredOf(encoders, policy);
    return best.name === SOFTWARE ? software(encoders, null) : chosen(best);
  }
  if (asked === SOFTWARE) return software(encoders, null);
  const wanted = encoders.find(({ name }) => name === asked);
  if (wanted?.works === true && policy.HARDWARE_ENCODING_ENABLED) return chosen(wanted);
  const why = policy.HARDWARE_ENCODING_ENABLED
    ? `${asked} does not work here: ${wanted?.reason ?? "it was not tried"}`
    : `${asked} is not used: HARDWARE_ENCODING_ENABLED is false`;
  if (policy.HARDWARE_ENCODER_FALLBACK) return software(encoders, why);
  return refused(
    `${why}. Choose another encoder (streambro encoders), or set HARDWARE_ENCODER_FALLBACK to true ` +
      `for ${SOFTWARE} in its place.`,
  );
};

/** What a stream gets that asks for nothing: hardware that works, where it is wanted. */
export const preferredOf = (encoders: readonly Encoder[], policy: Policy): Encoder => {
  const wanted = policy.PREFER_HARDWARE_ENCODING && policy.HARDWARE_ENCODING_ENABLED;
  const hardware = wanted
    ? encoders.find(({ kind, works }) => kind === "hardware" && works)
    : undefined;
  return hardware ?? encoders.find(({ name }) => name === SOFTWARE) ?? NONE;
};

const NONE: Encoder = {
  name: SOFTWARE,
  kind: "software",
  works: false,
  reason: "it was not tried",
  device: null,
};

const software = (encoders: readonly Encoder[], fallback: string | null): Chosen => {
  const encoder = encoders.find(({ name }) => name === SOFTWARE) ?? NONE;
  if (encoder.works) return chosen(encoder, fallback);
  const before = fallback === null ? "" : `${fallback}; and `;
  return refused(
    `${before}${SOFTWARE} does not work here: ${encoder.reason ?? "no reason is known"}. ` +
      `Install an FFmpeg with ${SOFTWARE}, such as the distribution's, or set FFMPEG_PATH to one; ` +
      "then: streambro encoders --refresh",
  );
};

const chosen = ({ name, kind, device }: Encoder, fallback: string | null = null): Chosen => ({
  ok: true,
  encoder: { name, kind, device, preset: candidateOf(name)?.preset?.own ?? null },
  fallback,
});

const refused = (message: string): Chosen => ({ ok: false, message });

const unknown = (asked: string): string =>
  `${asked} is no encoder that StreamBro uses: name one of ` +
  `${CANDIDATES.map(({ name }) => name).join(", ")}.`;
