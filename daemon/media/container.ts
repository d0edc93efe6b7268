import type { MediaInfo } from "./media-info.ts";

export type OutputContainer = "flv" | "mpegts";

const VIDEO: Record<OutputContainer, readonly string[]> = {
  flv: ["h264"],
  mpegts: ["h264", "hevc", "mpeg2video", "mpeg1video", "mpeg4"],
};
const AUDIO: Record<OutputContainer, readonly string[]> = {
  flv: ["aac", "mp3"],
  mpegts: ["aac", "mp3", "mp2", "ac3", "eac3", "opus"],
};

/** Why `media` cannot be sent as it is in `container`, and what to do; null where it can. */
export const unfit = (media: MediaInfo, container: OutputContainer): string | null => {
  const name = container === "flv" ? "FLV" : "MPEG-TS";
  if (!VIDEO[container].includes(media.video.codec))
    return `its picture is ${media.video.codec}, which ${name} cannot carry.`;
  if (media.audio !== null && !AUDIO[container].includes(media.audio.codec))
    return `its sound is ${media.audio.codec}, which ${name} cannot carry.`;
  return null;
};
