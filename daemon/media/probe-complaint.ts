import path from "node:path";
import { notReached } from "./not-reached.ts";
import { type Input, ownerOf } from "../reach/input.ts";
import { refusalOf } from "../reach/refusal.ts";
import type { FailureReason } from "../../shared/states.ts";
import { printable } from "../../shared/stream-name.ts";
import type { Ended } from "./bounded.ts";

export type Refusal = {
  readonly ok: false;
  readonly reason: FailureReason;
  /** What is wrong and what to do, for an operator; no control characters. */
  readonly message: string;
};

/** What can be wrong with an input, and what an operator can do about it. */
const WRONG = {
  missing: ["input-missing", "does not exist. Check the path, and whether its disk is mounted."],
  forbidden: [
    "input-missing",
    "may not be read by the user that streambrod runs as. Give that user permission to read it and to enter its directory.",
  ],
  closed: ["input-missing", "may not be read by the user that streambrod runs as."],
  unjudged: ["input-missing", "cannot be judged."],
  unreadable: ["input-missing", "cannot be read. Check the disk that it is on."],
  directory: ["input-corrupt", "is a directory. Name one file in it."],
  special: ["input-corrupt", "is a pipe or a device, not a file. Record it to a file first."],
  empty: ["input-corrupt", "is empty. Copy it again."],
  truncated: [
    "input-corrupt",
    "is incomplete: its index is missing (moov atom not found). Copy it again, or let its recording finish.",
  ],
  cut: [
    "input-corrupt",
    "is incomplete: it ends long before the length that it claims. Copy it again.",
  ],
  clock: [
    "input-corrupt",
    "cannot be played: its clock jumps back in the middle: remux it once: ffmpeg -i INPUT -c copy OUTPUT.mp4",
  ],
  format: [
    "input-corrupt",
    "is not a film: text, a picture, sound alone or a playlist. Name an MP4, MOV, MKV, WebM, MPEG-TS or FLV file.",
  ],
  damaged: ["input-corrupt", "is damaged or not media. Play it to check, or copy it again."],
  "timed-out": ["timed-out", ": its disk does not answer. Check the mount that it is on."],
  "no-video": ["input-corrupt", "has no picture, only sound. Add a picture to it first."],
  "no-duration": ["input-corrupt", "has no length: it is a still picture or was cut short."],
  "no-packets": ["input-corrupt", "has a picture track with nothing in it. Copy it again."],
  ffprobe: ["spawn-failed", "cannot be examined: ffprobe does not run. Install FFmpeg."],
  tool: ["spawn-failed", "cannot be examined: stat does not run. Install coreutils."],
  setpriv: [
    "spawn-failed",
    "cannot be opened as its owner: setpriv does not run, or may not become another user. Install util-linux, or let the service use CAP_SETUID and CAP_SETGID (docs/systemd.md).",
  ],
  walker: [
    "spawn-failed",
    "cannot be opened for its owner: streambro-reach.cjs, a part of StreamBro, does not run. Install StreamBro again.",
  ],
} as const satisfies Record<string, readonly [FailureReason, string]>;

export type Wrong = keyof typeof WRONG;

/** `at` is the component of the path that is in the way; whoever asks may see that one. */
export const unopened = (input: Input, wrong: Wrong, at = ""): Refusal => {
  const [reason, sentence] = WRONG[wrong];
  const owner = ownerOf(input);
  if (owner !== null && (wrong === "forbidden" || wrong === "closed" || wrong === "unjudged"))
    return { ok: false, reason, message: notReached(input, owner, wrong, at) };
  const name = printable(path.basename(input.path));
  return { ok: false, reason, message: `${name}${sentence.startsWith(":") ? "" : " "}${sentence}` };
};

const BOXES = ["ftyp", "mdat", "free", "skip", "wide", "pnot", "styp", "moof"];

const beginsWithBox = (head: Buffer): boolean => BOXES.includes(head.toString("latin1", 4, 8));

/** ffprobe's own failure, and the file's first bytes. FFmpeg 5.1 exits 1 for everything, so only its words tell what it was. */
export const complaint = (input: Input, head: Buffer, ended: Ended): Refusal => {
  const { stderr } = ended;
  const refused = refusalOf(ended.exitCode, stderr);
  if (refused !== null) return unopened(input, refused.is, refused.at);
  if (ended.timedOut) return unopened(input, "timed-out");
  // Run by another program, it cannot say so itself.
  const isMissing = ended.exitCode === 126 || ended.exitCode === 127;
  if (isMissing || (ended.exitCode === null && stderr === "")) return unopened(input, "ffprobe");
  // Called .mp4, anything at all is taken for one by FFmpeg; only a real one begins with a box.
  if (stderr.includes("moov atom not found"))
    return unopened(input, beginsWithBox(head) ? "truncated" : "format");
  if (/not on whitelist/i.test(stderr)) return unopened(input, "format");
  if (stderr.includes("Permission denied")) return unopened(input, "forbidden");
  if (stderr.includes("No such file")) return unopened(input, "missing");
  return unopened(input, "damaged");
};
