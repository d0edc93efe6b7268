import type { Command } from "commander";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Goal } from "../client/await-state.ts";
import { printJson, refuseUsage, say, worst } from "../context.ts";
import type { Context } from "../context.ts";
import { clock } from "../render/time.ts";
import { SEVERAL } from "../exit-status.ts";
import { timeoutOption, standard } from "./command.ts";
import type { Manual, Run, Standard } from "./command.ts";
import { atOnce, inTurn } from "./each.ts";
import { awaitAndTell, interruption } from "./outcome.ts";
import { addTimedOptions, timedParams } from "./timed-options.ts";
import type { TimedOptions } from "./timed-options.ts";
import { ALL, targets } from "./targets.ts";

/** A command that moves a stream from one state to another. */
export type Move = {
  readonly verb: "start" | "stop" | "restart";
  readonly goal: Goal;
  /** As in "not started". */
  readonly done: string;
  /** What it is about to do, as in "starting". */
  readonly doing: string;
  /** Whether it can be for a time. */
  readonly timed?: boolean;
};

/** A start looks at the input first, which may take as long as its disk does. */
const EXAMINE_MS = 60_000;

type Options = Standard & {
  readonly all?: boolean;
  readonly wait?: boolean;
  readonly timeout?: number;
} & TimedOptions;

/** Adds a moving command to the program. */
export const addMove = (program: Command, run: Run, move: Move, manual: Manual): void => {
  const { verb, goal } = move;
  const command = standard(program.command(verb).argument("[name...]", "the streams"), {
    ...manual,
    about: `${manual.about}\n${SEVERAL}`,
    statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.tryLater, EXIT.invalid, EXIT.interrupted],
  })
    .summary(manual.about.split("\n", 1)[0] ?? "")
    .option("--all", ALL)
    .option("--wait", `return when the stream is ${goal}, or cannot become so`)
    .option(
      "--timeout <duration>",
      "with --wait: how long at most (30s, 2m; else for ever)",
      timeoutOption,
    )
    .option("--json", "print one JSON object a stream");
  if (move.timed === true) addTimedOptions(command);
  command.action(async (names: string[], options: Options) =>
    run(options, async (context) => perform(context, names, options, move)),
  );
};

const perform = async (
  context: Context,
  names: readonly string[],
  options: Options,
  move: Move,
): Promise<number> => {
  const wait = options.wait === true;
  if (options.timeout !== undefined && !wait) {
    return refuseUsage(context, "--timeout says how long to --wait: give both.");
  }
  const chosen = await targets(context, names, options.all === true);
  if (!chosen.ok) return chosen.status;
  const { now } = context.terminal;
  const begun = now();
  const timed = timedParams(options, begun);
  if (!timed.ok) return refuseUsage(context, timed.sentence);
  const accepted = new Map<string, boolean>();
  const status = await inTurn(context, chosen.names, async (name) => {
    const answer = await context.daemon.call(
      `stream.${move.verb}`,
      { name, ...timed.params },
      EXAMINE_MS,
    );
    if (!answer.ok) return { failure: answer.failure, undone: `${name}: not ${move.done}` };
    const { changed, stream } = answer.result;
    accepted.set(name, !changed && stream.state === move.goal);
    if (!wait) tellMoved(context, move, changed, stream);
    return EXIT.ok;
  });
  if (!wait) return status;
  const interrupted = interruption(context);
  const timeoutMs = options.timeout ?? null;
  const waited = await atOnce([...accepted.keys()], async (name) => {
    const already = accepted.get(name) === true;
    const wish = { goal: move.goal, timeoutMs, begun, already };
    return awaitAndTell(context, name, wish, { interrupted, unseen: true });
  });
  return worst([status, waited]);
};

/** Says what a command that does not wait has set going. */
export const tellMoved = (
  context: Context,
  move: Move,
  changed: boolean,
  stream: StreamStatus,
): void => {
  if (context.json) printJson(context, { version: 1, name: stream.name, changed, stream });
  say(context, `${stream.name}: ${moved(move, changed, stream)}${endOf(context, move, stream)}`);
};

const moved = ({ goal, doing }: Move, changed: boolean, { state }: StreamStatus): string => {
  if (!changed) return `already ${state}`;
  // What runs already was given another end.
  return state === goal ? state : doing;
};

const endOf = ({ terminal }: Context, { goal }: Move, { state, stopAt }: StreamStatus): string => {
  // A daemon of an earlier release does not say.
  const at: string | null | undefined = stopAt;
  if (typeof at === "string") return `, until ${clock(at, terminal.now())}`;
  return goal === "live" && state === "live" && at === null ? ", until it is stopped" : "";
};
