/** An H.264 encoder of FFmpeg and how StreamBro uses it: in its trial and on the air alike. */
export type Candidate = {
  /** FFmpeg's name. */
  readonly name: string;
  readonly kind: "hardware" | "software";
  /** It is opened on a DRM render node, such as `/dev/dri/renderD128`, which has to be found. */
  readonly needsRenderNode: boolean;
  /** The option that takes a preset, the words it takes, and the one StreamBro takes; null where there is none. */
  readonly preset: {
    readonly option: string;
    readonly words: readonly string[];
    readonly own: string;
  } | null;
  /** At the end of the filter chain: the frames as the encoder takes them. */
  readonly filters: readonly string[];
  /** What `-b:v`, `-minrate`, `-maxrate` and `-bufsize` do not say yet of a constant bit rate and keyframes. */
  readonly extra: readonly string[];
};

const words = (text: string): readonly string[] => text.split(" ");

const X264_PRESETS = "ultrafast superfast veryfast faster fast medium slow slower veryslow placebo";
const QSV_PRESETS = "veryfast faster fast medium slow slower veryslow";

/** In the order of preference; the last is what everything falls back on. */
export const CANDIDATES: readonly Candidate[] = [
  {
    name: "h264_nvenc",
    kind: "hardware",
    needsRenderNode: false,
    preset: { option: "-preset", words: words("p1 p2 p3 p4 p5 p6 p7"), own: "p4" },
    filters: ["format=yuv420p"],
    extra: words("-profile:v high -rc cbr -forced-idr 1 -no-scenecut 1"),
  },
  {
    name: "h264_qsv",
    kind: "hardware",
    needsRenderNode: false,
    preset: { option: "-preset", words: words(QSV_PRESETS), own: "fast" },
    filters: ["format=nv12"],
    extra: words("-forced_idr 1 -look_ahead 0"),
  },
  {
    name: "h264_videotoolbox",
    kind: "hardware",
    needsRenderNode: false,
    preset: null,
    filters: ["format=nv12"],
    extra: words("-profile:v high -realtime 1"),
  },
  {
    name: "h264_vaapi",
    kind: "hardware",
    needsRenderNode: true,
    preset: null,
    filters: ["format=nv12", "hwupload"],
    extra: words("-rc_mode CBR"),
  },
  {
    name: "h264_amf",
    kind: "hardware",
    needsRenderNode: false,
    preset: { option: "-quality", words: words("speed balanced quality"), own: "balanced" },
    filters: ["format=nv12"],
    extra: words("-usage transcoding -rc cbr"),
  },
  {
    name: "h264_v4l2m2m",
    kind: "hardware",
    needsRenderNode: false,
    preset: null,
    filters: ["format=yuv420p"],
    extra: [],
  },
  {
    name: "libx264",
    kind: "software",
    needsRenderNode: false,
    preset: { option: "-preset", words: words(X264_PRESETS), own: "veryfast" },
    filters: ["format=yuv420p"],
    extra: words("-profile:v high -sc_threshold 0 -x264-params nal-hrd=cbr"),
  },
];

/** What is used where no hardware is, or is wanted. */
export const SOFTWARE = "libx264";

export const candidateOf = (name: string): Candidate | null =>
  CANDIDATES.find((candidate) => candidate.name === name) ?? null;
