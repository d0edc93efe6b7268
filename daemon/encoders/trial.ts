import { createHash } from "node:crypto";
import { runBounded } from "../media/bounded.ts";
import { encoderArguments } from "./arguments.ts";
import { CANDIDATES, type Candidate } from "./candidates.ts";
import type { Device } from "./devices.ts";
import { tellingLine } from "./reason.ts";

export type Trial = {
  readonly ffmpeg: string;
  readonly candidate: Candidate;
  /** Null where the encoder finds its own. */
  readonly device: Device | null;
  readonly withinMs: number;
  readonly signal: AbortSignal;
};

export type Outcome =
  | { readonly works: true }
  | {
      readonly works: false;
      readonly reason: string;
      /** It was given up, or killed: another time it may well answer. */
      readonly hung: boolean;
    };

/** A few frames, of a size that every hardware encoder takes. */
const PICTURE = "color=black:s=640x360:r=30";
const FRAMES = 5;
const RATE = { videoKbps: 1_000, fps: 30 };
const MOST_BYTES = 65_536;

/**
 * Encodes a few frames with the very arguments that a stream gets: only that tells whether an encoder
 * works. Never throws, and settles in time.
 */
export const tryEncoder = async (trial: Trial): Promise<Outcome> => {
  const { candidate, device, withinMs } = trial;
  if (withinMs <= 0)
    return { works: false, reason: "there was no time left to try it", hung: true };
  const ended = await runBounded(
    // What hangs in a driver, deaf even to KILL, gets no second process.
    `encoder ${candidate.name} ${device?.path ?? ""}`,
    trialCommand(trial),
    { withinMs, mostBytes: MOST_BYTES, signal: trial.signal },
  );
  if (ended.exitCode === 0) return { works: true };
  if (ended.timedOut) {
    const seconds = Math.round(withinMs / 100) / 10;
    return { works: false, reason: `it did not answer within ${seconds} s`, hung: true };
  }
  const said = tellingLine(ended.stderr);
  const reason =
    said ??
    (ended.exitCode === null
      ? "FFmpeg crashed or was killed"
      : `FFmpeg ended with ${ended.exitCode} and said nothing`);
  // Killed for want of memory, say, which speaks of the moment and not of the encoder.
  return { works: false, reason: reason + advice(device), hung: ended.signal === "SIGKILL" };
};

/** Changes with what is tried, and how: what an earlier release found out does not count then. */
export const digestOfTrials = (): string => {
  const trials = CANDIDATES.map((candidate) => {
    const { name, kind } = candidate;
    return [name, encoderArguments({ name, kind, device: null, preset: null }, RATE)];
  });
  return createHash("sha256")
    .update(JSON.stringify([PICTURE, FRAMES, trials]))
    .digest("base64");
};

const trialCommand = ({ ffmpeg, candidate, device }: Trial): [string, ...string[]] => {
  const choice = { name: candidate.name, kind: candidate.kind, preset: null };
  const { global, filters, output } = encoderArguments(
    { ...choice, device: device?.path ?? null },
    RATE,
  );
  return [
    ffmpeg,
    ...["-hide_banner", "-nostats", "-loglevel", "warning"],
    ...global,
    ...["-f", "lavfi", "-i", PICTURE, "-frames:v", String(FRAMES)],
    ...["-vf", filters.join(","), ...output],
    ...["-f", "null", "-"],
  ];
};

/** FFmpeg says the same of a device that is not there and of one that it may not open. */
const advice = (device: Device | null): string =>
  device === null || device.usable
    ? ""
    : `; streambrod's user may not open ${device.path}: add it to the group that owns that`;
