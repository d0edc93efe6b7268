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

/** What the streams ask of the encoders; waits for a detection under way. */
export type EncoderSource = {
  /**
   * The encoder for a stream. `asked` is the one its specification names, or null for the best that
   * works here; `softwareOnly` where its hardware encoder has failed since an operator started it. A
   * sentence where there is none: an encoder that was asked for does not work, or none does.
   */
  choose(
    asked: string | null,
    softwareOnly: boolean,
  ): Promise<
    | { readonly ok: true; readonly encoder: EncoderChoice }
    | { readonly ok: false; readonly message: string }
  >;
};
