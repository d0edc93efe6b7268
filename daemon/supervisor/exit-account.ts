import type { LastExit } from "../../shared/contract/status.ts";
import { classify } from "../failure/classify.ts";
import type { Exit, Failure } from "../ffmpeg/failure.ts";
import type { Contents } from "../runner/run-directory.ts";
import { readBytes, sizeOf } from "../logs/log-file.ts";
import type { Reached, RunRecord } from "../store/schemas.ts";
import { blamesPosition, goodEnd } from "./progress-made.ts";

/** Longest piece of FFmpeg's log that is read to explain an exit. */
const LOG_TAIL_BYTES = 8_192;

/** What an exit means: for the state machine, for people, and for where to go on. */
export type ExitAccount = {
  readonly how: "ended" | "planned" | Failure;
  readonly lastExit: Omit<LastExit, "at">;
  readonly reached: Reached | null;
  /** The exit speaks against the place in the input at which the run began. */
  readonly blamesPosition: boolean;
};

/**
 * `stop` is why we ended the process, which no exit status could tell: `asked`, or the failure that it
 * was ended for; null where it ended by itself.
 */
export const accountFor = (
  exit: Exit,
  { record, secrets }: Contents,
  outTimeMs: number | null,
  stop: "asked" | Failure | null,
  log: string,
): ExitAccount => {
  const good = goodEnd(exit, record, outTimeMs);
  const own = typeof stop === "object" ? stop : null;
  const host = hostOf(record.url);
  const about = { name: record.name, host, secrets: Object.values(secrets) };
  const failure = own ?? classify(exit, logTail(log, record.logFrom), about, outTimeMs);
  const isFailure = stop !== "asked" && good === null;
  return {
    how: good ?? failure,
    lastExit: { ...exit, ...explained(stop === "asked", good, failure) },
    // What was played to its end begins anew.
    reached: good === null ? reachedBy(record, outTimeMs) : null,
    blamesPosition: isFailure && blamesPosition(failure, outTimeMs),
  };
};

const reachedBy = ({ media, timeline, lagMs }: RunRecord, outTimeMs: number | null): Reached => ({
  ...{ media, timeline, lagMs },
  outTimeMs,
});

/** Host and port of a destination, as an operator knows the receiver. */
export const hostOf = (url: string): string => /^[a-z]+:\/\/([^/?]+)/.exec(url)?.[1] ?? url;

const explained = (
  asked: boolean,
  good: "ended" | "planned" | null,
  failure: Failure,
): Pick<LastExit, "reason" | "message"> => {
  if (asked) return { reason: "stopped", message: "ended as asked" };
  if (good === "ended") return { reason: "end-of-input", message: "played to its end" };
  if (good === "planned") return { reason: "end-of-input", message: "time for a fresh process" };
  return { reason: failure.reason, message: failure.message };
};

const logTail = (log: string, runFrom: number): string => {
  const size = sizeOf(log);
  // A log shorter than where the run began was rotated meanwhile: all of it is this run's.
  const begin = size < runFrom ? 0 : runFrom;
  const tail = readBytes(log, Math.max(begin, size - LOG_TAIL_BYTES), LOG_TAIL_BYTES).bytes;
  // Half a line could hold half a key, which nobody would know for one.
  const from = size - LOG_TAIL_BYTES > begin ? tail.indexOf(10) + 1 : 0;
  return tail.toString("utf8", from);
};
