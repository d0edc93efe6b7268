import type { Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { exitStatusOf } from "../client/failure.ts";
import { printJson, refuseUsage, reportFailure, say, worst } from "../context.ts";
import type { Context } from "../context.ts";
import { SEVERAL } from "../exit-status.ts";
import { PAST_RULE, parsePast } from "../past.ts";
import { historyLine, widen } from "../render/history-line.ts";
import { countOption, standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { namedStreams } from "./targets.ts";

type Entries = Result<"history.list">["entries"];
type Options = Standard & {
  readonly since?: string;
  readonly until?: string;
  readonly lines?: number;
};
type Span = { readonly since?: string; readonly until?: string };

const ABOUT = "Show what happened to streams and to the daemon, oldest first.";
const MOST_LINES = 10_000;
const USUAL_LINES = 50;

export const history: Register = (program, run) => {
  standard(
    program.command("history").argument("[name...]", "the streams; all, where none is named"),
    {
      about:
        `${ABOUT} It outlives the daemon, reboots and the\n` +
        "streams themselves: one that was removed can be named until its past has aged out.\n" +
        `Without --since and --until the last ${USUAL_LINES} lines are shown.\n${SEVERAL}`,
      examples: [
        "streambro history --since 03:00 --until 04:00",
        "streambro history radio --since 7d",
        "streambro history --json --since 2h | jq '.entries[] | select(.to == \"backoff\")'",
      ],
      statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.invalid],
    },
  )
    .summary(ABOUT)
    .option("--since <when>", "from then on (7d, 2h, 03:00, or 2027-01-31 23:00)")
    .option("--until <when>", "up to then")
    .option("-n, --lines <count>", "how many of the last lines", countOption(MOST_LINES))
    .option("--json", "print JSON: version, entries, more")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        const chosen = namedStreams(context, names);
        if (!chosen.ok) return chosen.status;
        const span = spanOf(options, context.terminal.now());
        if (typeof span === "string") return refuseUsage(context, span);
        const usual = Object.keys(span).length === 0 ? USUAL_LINES : MOST_LINES;
        return show(context, chosen.names, span, options.lines ?? usual);
      }),
    );
};

/** The sentence, where it makes no sense. */
const spanOf = (options: Options, now: number): Span | string => {
  const span: { since?: string; until?: string } = {};
  for (const option of ["since", "until"] as const) {
    const given = options[option];
    if (given === undefined) continue;
    const moment = parsePast(given, now);
    if (moment === null) return `--${option}: it is no time: ${PAST_RULE}.`;
    span[option] = moment;
  }
  const { since, until } = span;
  const isEmpty = since !== undefined && until !== undefined && since >= until;
  return isEmpty ? "--since lies after --until: between the two there is nothing." : span;
};

type Found = { readonly status: number; readonly entries: Entries; readonly more: boolean };

const show = async (
  context: Context,
  names: readonly string[],
  span: Span,
  lines: number,
): Promise<number> => {
  // Whether there is a stream of that name is a question all the same.
  const found = await find(context, names, span, Math.max(1, lines));
  const { terminal, json, quiet } = context;
  const entries = lines === 0 ? [] : found.entries.slice(-lines);
  const more = found.more || entries.length < found.entries.length;
  if (quiet || (names.length > 0 && found.status !== EXIT.ok && entries.length === 0))
    return found.status;
  if (json) printJson(context, { version: 1, entries, more });
  else if (entries.length > 0) {
    const widths = { name: 0, what: 0 };
    widen(widths, entries);
    terminal.out(entries.map((entry) => historyLine(entry, widths)).join("\n"));
  }
  if (found.entries.length === 0) say(context, "streambro: nothing is remembered of that time.");
  else if (more && lines > 0)
    say(context, `These are the last ${entries.length}; there are more: -n, --since, --until.`);
  return found.status;
};

/** All in one question; where one name is not known, each by itself, to show the others. */
const find = async (
  context: Context,
  names: readonly string[],
  span: Span,
  limit: number,
): Promise<Found> => {
  const named = names.length === 0 ? {} : { names: [...names] };
  const answer = await context.daemon.call("history.list", { ...named, ...span, limit });
  if (answer.ok) return { status: EXIT.ok, ...answer.result };
  const isUnknown = exitStatusOf(answer.failure) === EXIT.noSuchStream;
  if (!isUnknown || names.length < 2)
    return { status: reportFailure(context, answer.failure, names[0]), entries: [], more: false };
  const each = await Promise.all(names.map(async (name) => find(context, [name], span, limit)));
  return {
    status: worst(each.map(({ status }) => status)),
    entries: each.flatMap(({ entries }) => entries).toSorted((one, other) => one.id - other.id),
    more: each.some(({ more }) => more),
  };
};
