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
 * MPEG-TS swallows anything without an error, but as nameless data that no receiver can play.
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
    video: ["h264", "hevc", "mpeg2video", "mpeg1video", "mpeg4"],
    audio: ["aac", "mp3", "mp2", "ac3", "eac3", "opus", "dts"],
    rates: {},
  },
};

/** Codecs as people write them. */
const WRITTEN: Readonly<Record<string, string>> = {
  h264: "H.264",
  hevc: "H.265",
  av1: "AV1",
  vp8: "VP8",
  vp9: "VP9",
  mpeg1video: "MPEG-1",
  mpeg2video: "MPEG-2",
  mpeg4: "MPEG-4 Part 2",
  theora: "Theora",
  prores: "ProRes",
  mjpeg: "Motion JPEG",
  aac: "AAC",
  mp2: "MP2",
  mp3: "MP3",
  ac3: "AC-3",
  eac3: "E-AC-3",
  dts: "DTS",
  truehd: "TrueHD",
  opus: "Opus",
  vorbis: "Vorbis",
  flac: "FLAC",
  alac: "ALAC",
};

const written = (codec: string): string =>
  WRITTEN[codec] ?? (codec.startsWith("pcm_") ? "PCM" : codec);

/** Why `media`, called `file`, cannot be sent as it is in `container`, and what to do; null where it can. */
export const unfit = (
  media: MediaInfo,
  container: OutputContainer,
  file = "the input",
): string | null => {
  // AVI does not hold the times at which frames are shown, and FFmpeg's copy needs them.
  if (media.container === "avi" && media.video.reorderMs > 0) {
    return `${file} is an AVI with B-frames, which FFmpeg cannot copy. Convert it once: ffmpeg -i INPUT -c:v libx264 -pix_fmt yuv420p -g 60 -c:a aac OUTPUT.mp4`;
  }
  const { name, video, audio, rates } = CARRIED[container];
  const sound = media.audio;
  const pictureFits = video.includes(media.video.codec);
  const soundFits = sound === null || audio.includes(sound.codec);
  const rateFits = sound === null || (rates[sound.codec]?.includes(sound.sampleRate) ?? true);
  if (pictureFits && soundFits && rateFits) return null;
  const why = !pictureFits
    ? `the picture of ${file} is ${written(media.video.codec)}, which ${name} cannot carry`
    : soundFits
      ? `the sound of ${file} is ${written(sound?.codec ?? "")} at ${sound?.sampleRate} Hz, ` +
        `and ${name} carries that only at ${rates[sound?.codec ?? ""]?.join(", ")} Hz`
      : `the sound of ${file} is ${written(sound?.codec ?? "")}, which ${name} cannot carry`;
  const picture = pictureFits ? "copy" : "libx264 -pix_fmt yuv420p -g 60";
  const convert = `-c:v ${picture} -c:a ${soundFits && rateFits ? "copy" : "aac -ar 48000"}`;
  return `${why}. Convert it once: ffmpeg -i INPUT ${convert} OUTPUT.mp4`;
};
