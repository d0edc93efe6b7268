import type { Exit } from "../ffmpeg/failure.ts";
import type { Row } from "./row.ts";

const KILLED = new Set(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);

/**
 * FFmpeg 6.1 and later end with the number of an error, and that of "no route to host", 143, looks like
 * 128 and SIGTERM. Whoever lives to say what could not be opened was not ended by a signal.
 */
const NO_LAST_WORD = /^(?![^]*(?:no route to host|error opening (?:input|output) files: ))/i;

const withCode =
  (...codes: readonly number[]) =>
  ({ code }: Exit): boolean =>
    code !== null && codes.includes(code);

/** What the exit alone decides, whatever the log says. */
export const EXITS: readonly Row[] = [
  {
    id: "killed-hard",
    reason: "killed",
    permanent: false,
    exit: ({ signal }) => signal === "SIGKILL",
    happened: "FFmpeg was killed from outside (SIGKILL)",
    advice:
      "If nobody did that, the kernel may have for want of memory: journalctl -k | grep -i 'out of memory'",
  },
  {
    id: "ended-by-signal",
    reason: "killed",
    permanent: false,
    exit: ({ signal }) => signal !== null && KILLED.has(signal),
    said: NO_LAST_WORD,
    happened: "FFmpeg was ended from outside by SIGNAL",
    advice: "Somebody or a script did that. To end it for good: streambro stop NAME",
  },
  {
    id: "asked-to-end",
    reason: "killed",
    permanent: false,
    // FFmpeg ends with 255 when it was asked to, by INT or TERM, and it was not us who asked.
    exit: withCode(255),
    said: /exiting normally, received signal/i,
    happened: "FFmpeg was asked to end by somebody else",
    advice: "Somebody or a script sent it a signal. To end it for good: streambro stop NAME",
  },
  {
    id: "crashed",
    reason: "crashed",
    permanent: false,
    exit: ({ signal }) => signal !== null,
    said: NO_LAST_WORD,
    happened: "FFmpeg crashed (SIGNAL)",
    advice:
      "If it goes on: update FFmpeg, and where it is always the same film, convert that once more",
  },
  // A list whose next item cannot be opened, or read on, has come to its end as FFmpeg sees it.
  {
    id: "input-gone-meanwhile",
    reason: "input-missing",
    permanent: false,
    exit: withCode(0),
    said: /impossible to open[^]*no such file/i,
    happened: "the input is gone: it was moved or deleted while it played",
    advice: "Put it back, mount its disk, or: streambro set NAME --input FILE",
  },
  {
    id: "input-spoilt-meanwhile",
    reason: "input-corrupt",
    permanent: false,
    exit: withCode(0),
    said: /(?:outer\.ffconcat|error during demuxing): (?:invalid data found|input\/output error)/i,
    happened: "the input can no longer be read: it was changed or damaged while it played",
    advice: "Replace a film by renaming a whole new one over it; look at its disk too",
  },
  {
    id: "input-ended",
    reason: "end-of-input",
    permanent: false,
    exit: withCode(0),
    happened: "the input came to its end early",
    advice:
      "Was the file replaced, cut short or moved while it played? Play it to its end to check",
  },
];

/** What is left where the log explains nothing. */
export const UNEXPLAINED: readonly Row[] = [
  {
    id: "unseen",
    reason: "unknown",
    permanent: false,
    exit: ({ code, signal }) => code === null && signal === null,
    happened: "FFmpeg ended, and nobody was there to see how",
    advice:
      "Its runner was killed, or the machine was restarted; nothing to do where the stream is back",
  },
  {
    id: "cannot-run",
    reason: "spawn-failed",
    permanent: false,
    exit: withCode(126, 127),
    happened: "FFmpeg could not be run",
    advice: "Is it installed, on the daemon's PATH, and executable? See FFMPEG_PATH",
  },
  {
    id: "unexplained",
    reason: "unknown",
    permanent: false,
    happened: "FFmpeg ended with exit status STATUS and did not say why",
    advice: "Its last lines may tell more: streambro logs NAME",
  },
];
