import type { Command } from "commander";
import type { Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { exitStatusOf } from "../client/failure.ts";
import { printJson, refuseUsage, reportFailure, say, worst } from "../context.ts";
import type { Context } from "../context.ts";
import { SEVERAL } from "../exit-status.ts";
import { isOurs } from "../ours.ts";
import { statusTable } from "../render/status-table.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { ALL, namedStreams } from "./targets.ts";

type Streams = Result<"stream.status">["streams"];

type Options = Standard & { readonly all?: boolean };

const ABOUT = "Show how streams are: those named, or all.";

export const status: Register = (program, run) => {
  withNames(program.command("status"), [EXIT.notLive])
    .summary(ABOUT)
    .option("--all", `${ALL}, as if each had been named`)
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        if (options.all === true && names.length > 0) {
          return refuseUsage(context, "give names or --all, not both.");
        }
        const all = options.all === true;
        return show(context, names, { strict: all || names.length > 0, all });
      }),
    );
};

export const list: Register = (program, run) => {
  withNames(program.command("ls"), [])
    .summary("The same table; that a stream is not live is no failure.")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => show(context, names, { strict: false, all: false })),
    );
};

const withNames = (command: Command, statuses: readonly number[]): Command =>
  standard(command.argument("[name...]", "the streams; all, where none is named"), {
    about:
      `${ABOUT} With -q only the exit status tells.\n` +
      "Columns that a narrow terminal has no room for are left out; --json has every fact.\n" +
      SEVERAL,
    examples: [
      `streambro ${command.name()}`,
      `streambro ${command.name()} radio --json | jq '.streams[0].outputs[0].bitrateKbps'`,
      ...(statuses.length === 0 ? [] : ["until streambro status radio -q; do sleep 5; done"]),
    ],
    statuses: [EXIT.noSuchStream, EXIT.invalid, ...statuses],
  }).option("--json", "print JSON: version, streams");

type How = {
  /** One that is not live is to be told by the exit status. */
  readonly strict: boolean;
  /** Others' are left out. */
  readonly all: boolean;
};

/** Prints the streams. */
const show = async (
  context: Context,
  names: readonly string[],
  { strict, all }: How,
): Promise<number> => {
  const chosen = namedStreams(context, names);
  if (!chosen.ok) return chosen.status;
  const found = await find(context, chosen.names);
  const streams = all ? (found.streams?.filter(isOurs) ?? null) : found.streams;
  if (streams !== null) print(context, streams);
  const live = streams?.every(({ state }) => state === "live") ?? true;
  return worst([found.status, strict && !live ? EXIT.notLive : EXIT.ok]);
};

type Found = { readonly status: number; readonly streams: Streams | null };

/** All in one question; where one name is not known, each by itself, to show the others. */
const find = async (context: Context, names: readonly string[]): Promise<Found> => {
  const answer = await context.daemon.call(
    "stream.status",
    names.length === 0 ? {} : { names: [...names] },
  );
  if (answer.ok) return { status: EXIT.ok, streams: answer.result.streams };
  const refused = exitStatusOf(answer.failure) === EXIT.noSuchStream;
  if (!refused || names.length < 2) {
    return { status: reportFailure(context, answer.failure, names[0]), streams: null };
  }
  const each = await Promise.all(names.map(async (name) => find(context, [name])));
  return {
    status: worst(each.map((found) => found.status)),
    streams: each.flatMap((found) => found.streams ?? []),
  };
};

const print = (context: Context, streams: Streams): void => {
  const { terminal, json, quiet } = context;
  if (quiet) return;
  if (json) {
    printJson(context, { version: 1, streams });
  } else if (streams.length === 0) {
    say(context, "streambro: there are no streams. Add one: streambro add --help");
  } else {
    const view = { now: terminal.now(), room: terminal.columns(), colour: terminal.colour() };
    terminal.out(statusTable(streams, view).join("\n"));
  }
};
