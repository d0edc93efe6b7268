import type { Row } from "./row.ts";

/** What the container cannot carry of the input. */
export const TRACKS: readonly Row[] = [
  {
    id: "no-times",
    reason: "codec-unsupported",
    permanent: true,
    said: /packet is missing pts|packet with unknown timestamp/i,
    happened: "the input lacks the times that a copy needs",
    advice: "Encode it: streambro set NAME --mode encode",
  },
  {
    id: "not-for-container",
    reason: "codec-unsupported",
    permanent: true,
    said: /not compatible with flv|could not find tag for codec|incorrect codec parameters(?![^\n]*(?:connection|broken pipe|timed out|input\/output|end of file))|codec not currently supported in container/i,
    happened: "the container cannot carry a track of the input",
    advice: "Have it encoded: streambro set NAME --mode auto, then start the stream",
  },
];

/** What is wrong with the input itself. */
export const INPUT: readonly Row[] = [
  {
    id: "input-gone",
    reason: "input-missing",
    permanent: false,
    said: /item-\d+[^\n]*no such file|impossible to open[^\n]*item-/i,
    happened: "the input is gone",
    advice:
      "Was it moved, or is its disk not mounted? Put it back, or: streambro set NAME --input FILE",
  },
  {
    id: "bad-times",
    reason: "input-corrupt",
    permanent: false,
    said: /(?:av_interleaved_write_frame\(\)|submitting a packet to the muxer|muxing a packet): invalid argument/i,
    happened: "the times in the input jump so that they cannot be sent",
    advice: "Encode it, or remux it once: ffmpeg -i INPUT -c copy OUTPUT.mp4",
  },
  {
    id: "not-media",
    reason: "input-corrupt",
    permanent: false,
    said: /moov atom not found|invalid data found when processing input|does not contain any stream|matches no streams/i,
    happened: "the input cannot be read as media",
    advice: "Play it to check, and copy it again; or: streambro set NAME --input FILE",
  },
];
