/** Codecs as people write them, by FFmpeg's names. */
const WRITTEN: Readonly<Record<string, string>> = {
  h264: "H.264",
  hevc: "H.265",
  av1: "AV1",
  vp8: "VP8",
  vp9: "VP9",
  mpeg1video: "MPEG-1",
  mpeg2video: "MPEG-2",
  mpeg4: "MPEG-4 Part 2",
  vc1: "VC-1",
  wmv3: "WMV 9",
  theora: "Theora",
  prores: "ProRes",
  dnxhd: "DNxHD",
  dvvideo: "DV",
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
  wmav2: "WMA",
};

/** A codec's name for people; FFmpeg's own where there is no better one. */
export const codecName = (codec: string): string =>
  WRITTEN[codec] ?? (codec.startsWith("pcm_") ? "PCM" : codec);
