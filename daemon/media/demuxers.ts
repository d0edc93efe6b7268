/**
 * The containers that StreamBro opens, by FFmpeg's names. Each holds its media itself: formats that
 * name other files (playlists, manifests, image sequences) or that accept any text are left out.
 */
export const DEMUXERS: string = [
  "mov",
  "matroska",
  "mpegts",
  "flv",
  "avi",
  "mpeg",
  "asf",
  "mxf",
  "ogg",
].join(",");
