import type { Result } from "../../shared/contract/methods.ts";

type Input = Result<"stream.add">["input"];

const NAMES: Readonly<Record<string, string>> = {
  h264: "H.264",
  hevc: "H.265",
  av1: "AV1",
  vp8: "VP8",
  vp9: "VP9",
  mpeg1video: "MPEG-1",
  mpeg2video: "MPEG-2",
  mpeg4: "MPEG-4",
  aac: "AAC",
  mp2: "MP2",
  mp3: "MP3",
  ac3: "AC-3",
  eac3: "E-AC-3",
  dts: "DTS",
  opus: "Opus",
  vorbis: "Vorbis",
  flac: "FLAC",
};

const named = (codec: string): string => NAMES[codec] ?? (codec.startsWith("pcm_") ? "PCM" : codec);

const changed = (from: string, to: string): string => (from === to ? to : `${from} to ${to}`);

/** What becomes of an input's two tracks, as in "picture copied, sound encoded (Opus to AAC)". */
export const tracksText = ({ tracks, video, audio }: Input): string => {
  // A daemon of release 0.1 does not say, and copies.
  if ((tracks as Input["tracks"] | undefined) === undefined) return "copied";
  const [codec = ""] = video.split(" ");
  const { action, encoder, fallback } = tracks.video;
  const by = [changed(named(codec), "H.264"), encoder, fallback].filter((part) => part !== null);
  const picture = action === "copy" ? "picture copied" : `picture encoded (${by.join(", ")})`;
  const sounds = {
    copy: "sound copied",
    encode: `sound encoded (${changed(named(audio ?? ""), "AAC")})`,
    silence: "silence added",
    none: "no sound",
  };
  return `${picture}, ${sounds[tracks.audio.action]}`;
};
