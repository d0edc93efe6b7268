import { codecName } from "../../shared/codec-name.ts";
import type { MediaInfo } from "./media-info.ts";

/** What a stream is sent in: FLV by RTMP, MPEG-TS by SRT. */
export type OutputContainer = "flv" | "mpegts";

type Carried = {
  readonly name: string;
  readonly video: readonly string[];
  readonly audio: readonly string[];
  /** Codecs carried only at these sample rates. */
  readonly rates: Readonly<Record<string, readonly number[]>>;
};

/**
 * What each container takes as it is from FFmpeg 5.1. FLV could also hold codecs of Flash's days
 * (Sorenson, Speex, PCM), which no platform of today plays; HEVC, AV1 and VP9 in FLV need FFmpeg 6.
 * MPEG-TS swallows anything without an error, but as nameless data that no receiver can play; of
 * MPEG-4 Part 2 it leaves out the headers that a file keeps apart, so that nobody can decode it.
 */
const CARRIED: Readonly<Record<OutputContainer, Carried>> = {
  flv: {
    name: "FLV",
    video: ["h264"],
    audio: ["aac", "mp3"],
    rates: { mp3: [11_025, 22_050, 44_100, 48_000] },
  },
  mpegts: {
    name: "MPEG-TS",
    video: ["h264", "hevc", "mpeg2video", "mpeg1video"],
    audio: ["aac", "mp3", "mp2", "ac3", "eac3", "opus", "dts"],
    rates: {},
  },
};

/** What platforms and their players decode: eight bits, with colour at half the size. */
const USUAL_PIXELS = new Set(["yuv420p", "yuvj420p", "unknown"]);

/** What is unusual about the points of a picture, by FFmpeg's name of their format; null where nothing is. */
const rarity = (pixelFormat: string | null): string | null => {
  if (pixelFormat === null || USUAL_PIXELS.has(pixelFormat)) return null;
  const colour = /^(?:gbr|rgb|bgr)/.test(pixelFormat)
    ? "RGB colour"
    : pixelFormat.replace(/^.*(4)([24])([0-4]).*$/, "$1:$2:$3 colour");
  const bits = /\D(\d+)[lb]e$/.exec(pixelFormat)?.[1];
  if (bits === undefined) return colour.startsWith("gray") ? "no colour" : colour;
  return colour === "4:2:0 colour" ? `${bits} bits` : `${colour} of ${bits} bits`;
};

/** Why the picture of `media`, called `file`, cannot be copied into `container`; null where it can. */
export const pictureMisfit = (
  media: MediaInfo,
  container: OutputContainer,
  file: string,
): string | null => {
  const { name, video } = CARRIED[container];
  const { codec, reorderMs, rotation } = media.video;
  if (!video.includes(codec))
    return `the picture of ${file} is ${codecName(codec)}, which ${name} cannot carry`;
  const rare = container === "flv" && codec === "h264" ? rarity(media.video.pixelFormat) : null;
  if (rare !== null)
    return `the picture of ${file} is H.264 with ${rare}, which hardly any player shows`;
  // AVI does not hold the times at which frames are shown, and FFmpeg's copy needs them.
  if (media.container === "avi" && reorderMs > 0)
    return `${file} is an AVI with B-frames, which FFmpeg cannot copy`;
  // Nor does this, for every frame: at the seam of a loop one comes without any.
  if (media.container === "mpeg")
    return `${file} is an MPEG program stream, which FFmpeg cannot copy reliably`;
  if ((rotation ?? 0) !== 0)
    return `the picture of ${file} lies on its side or head and is turned by the player (${rotation}°), which ${name} cannot say`;
  return null;
};

/** Why its sound cannot be copied; null where it can, or there is none. */
export const soundMisfit = (
  { audio: sound }: MediaInfo,
  container: OutputContainer,
  file: string,
): string | null => {
  if (sound === null) return null;
  const { name, audio, rates } = CARRIED[container];
  const codec = codecName(sound.codec);
  if (!audio.includes(sound.codec))
    return `the sound of ${file} is ${codec}, which ${name} cannot carry`;
  const allowed = rates[sound.codec];
  return (allowed?.includes(sound.sampleRate) ?? true)
    ? null
    : `the sound of ${file} is ${codec} at ${sound.sampleRate} Hz, ` +
        `and ${name} carries that only at ${allowed?.join(", ")} Hz`;
};
