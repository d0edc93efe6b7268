import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { parseDuration } from "../duration.ts";
import { MOMENT_RULE, parseMoment } from "../moment.ts";

/** How long a stream is to run. */
export type TimedOptions = { readonly for?: number; readonly until?: string };

const LEAST_MS = 1_000;
const MOST_MS = 366 * 86_400_000;
const RULE = "Use for instance 90s, 45m, 2h, 1h30m or 7d; from one second to 366 days.";

const durationOption = (text: string): number => {
  const ms = parseDuration(text, MOST_MS);
  if (ms === null || ms < LEAST_MS) throw new InvalidArgumentError(RULE);
  return ms;
};

export const addTimedOptions = (command: Command): Command =>
  command
    .option(
      "--for <duration>",
      "stop it after so long (45m, 2h, 7d), whatever restarts",
      durationOption,
    )
    .option("--until <time>", "stop it then (23:00, or 2027-01-31 23:00)");

type Timed =
  | { readonly ok: true; readonly params: { forMs?: number; until?: string } }
  | { readonly ok: false; readonly sentence: string };

/** The options as the contract has them; `now` decides which day a time of day means. */
export const timedParams = (options: TimedOptions, now: number): Timed => {
  if (options.for !== undefined && options.until !== undefined)
    return { ok: false, sentence: "say --for how long or --until when, not both." };
  if (options.for !== undefined) return { ok: true, params: { forMs: options.for } };
  if (options.until === undefined) return { ok: true, params: {} };
  const until = parseMoment(options.until, now);
  return until === null
    ? { ok: false, sentence: `--until: it is no time: ${MOMENT_RULE}.` }
    : { ok: true, params: { until } };
};
