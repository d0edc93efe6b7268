import type { Row } from "./row.ts";

const ENCODER = new RegExp(
  [
    "error while opening encoder",
    "no capable devices found",
    "openencodesessionex failed",
    String.raw`cannot load (?:libcuda|nvcuda|libnvidia-encode|nvencodeapi)`,
    "failed to initiali[sz]e vaapi",
    "no va display found",
    "device creation failed",
    "a hardware device reference is required",
    "error initializing an internal mfx session",
    "error submitting (?:a |video )?frame to the encoder",
    "video encoding failed",
  ].join("|"),
  "i",
);

/** What this machine is short of. */
export const MACHINE: readonly Row[] = [
  {
    id: "disk-full",
    reason: "disk-full",
    permanent: false,
    said: /no space left on device|disk quota exceeded/i,
    happened: "the disk is full",
    advice: "Make room on it: df -h shows which one it is",
  },
  {
    id: "no-threads",
    reason: "out-of-memory",
    permanent: false,
    said: /pthread_create\(\) failed|(?:opening (?:de|en)coder|opening (?:input|output))[^\n]*resource temporarily unavailable/i,
    happened: "FFmpeg could not start a thread",
    advice:
      "The machine is out of memory, or this user has too many processes. See free -h, and the limits of the daemon's service",
  },
  {
    id: "allocation-failed",
    reason: "out-of-memory",
    permanent: false,
    // What x264 could not allocate FFmpeg goes on to call an encoder that could not be opened.
    said: /x264 \[error\]: malloc of size|failed to map segment from shared object/i,
    happened: "there was no memory left for FFmpeg",
    advice: "See free -h: stop something, encode at a smaller size, or raise the service's limits",
  },
  {
    id: "encoder",
    reason: "encoder-failed",
    permanent: false,
    // Before memory: a card whose sessions are all taken says "out of memory" too.
    said: ENCODER,
    happened: "the encoder could not be used: LINE",
    advice: "Which ones work here: streambro encoders --refresh",
  },
  {
    id: "out-of-memory",
    reason: "out-of-memory",
    permanent: false,
    said: /cannot allocate memory|out of memory/i,
    happened: "there was no memory left for FFmpeg",
    advice: "See free -h: stop something, encode at a smaller size, or raise the service's limits",
  },
  {
    id: "libraries",
    reason: "spawn-failed",
    permanent: false,
    said: /error while loading shared libraries/i,
    happened: "FFmpeg could not be run: a library of its own is missing or broken",
    advice: "Install FFmpeg again; ffmpeg -version must work for the daemon's user",
  },
];

/** What this FFmpeg was built without. */
export const BUILD: readonly Row[] = [
  {
    id: "no-such-codec",
    reason: "codec-unsupported",
    permanent: true,
    said: /unknown encoder|encoder .* not found|decoder .* not found/i,
    happened: "this FFmpeg lacks a codec that the stream needs",
    advice:
      "Install the distribution's complete FFmpeg, or convert the film, then start the stream",
  },
  {
    id: "no-such-option",
    reason: "option-unsupported",
    permanent: true,
    said: /unrecognized option|invalid option or argument|option .* not found|unknown option|error parsing option|invalid value.*preset/i,
    happened: "this FFmpeg does not know an option that StreamBro uses",
    advice: "Install FFmpeg 5.1 or newer, then start the stream",
  },
  {
    id: "no-such-protocol",
    reason: "option-unsupported",
    permanent: true,
    said: /protocol not found/i,
    happened: "this FFmpeg was built without the protocol of the destination",
    advice:
      "Install the distribution's complete FFmpeg, or use another protocol, then start the stream",
  },
];
