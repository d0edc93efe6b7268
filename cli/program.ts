import { Command, CommanderError } from "commander";
import { EXIT } from "../shared/errors.ts";
import { openDaemon } from "./client/daemon.ts";
import type { Daemon } from "./client/daemon.ts";
import { add } from "./commands/add.ts";
import type { Register, Run } from "./commands/command.ts";
import { addCompletion } from "./commands/completion.ts";
import { daemon } from "./commands/daemon.ts";
import { limits } from "./commands/limits.ts";
import { events } from "./commands/events.ts";
import { history } from "./commands/history.ts";
import { encoders } from "./commands/encoders.ts";
import { logs } from "./commands/logs.ts";
import { metrics } from "./commands/metrics.ts";
import { remove } from "./commands/remove.ts";
import { restart } from "./commands/restart.ts";
import { set } from "./commands/set.ts";
import { show } from "./commands/show.ts";
import { start } from "./commands/start.ts";
import { list, status } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import { wait } from "./commands/wait.ts";
import { exitStatusHelp, SEVERAL } from "./exit-status.ts";
import type { Terminal } from "./terminal.ts";

/** What a command line is run with; a socket is looked for only by commands that need the daemon. */
export type Surroundings = {
  readonly terminal: Terminal;
  readonly version: string;
  readonly socket: () => string;
  /** In place of the daemon behind the socket. */
  readonly daemon?: Daemon;
};

const COMMANDS: Readonly<Record<string, Register>> = {
  add,
  start,
  stop,
  restart,
  status,
  ls: list,
  show,
  set,
  logs,
  history,
  events,
  wait,
  rm: remove,
  metrics,
  limits,
  encoders,
  daemon,
  completion: (program, run) => addCompletion(program, run, describedProgram),
};

/** The command that was typed; all of them where that is none, for help and suggestions. */
const wanted = (typed: string | undefined): readonly Register[] => {
  const known = typed !== undefined && Object.hasOwn(COMMANDS, typed) ? COMMANDS[typed] : undefined;
  // Setting up one command takes a tenth of what setting up all of them does.
  return known === undefined ? Object.values(COMMANDS) : [known];
};

const AFTER = (): string => `
EXAMPLES
  streambro add radio --input film.mp4 --to rtmp://live.example.com/app --key-file ~/.key --start
  streambro status
  streambro start radio --wait --timeout 30s

${exitStatusHelp()}
${SEVERAL}

The daemon is found at $STREAMBRO_SOCKET, else at the system's socket if there is one, else at the
user's. No colour where NO_COLOR is set. "streambro COMMAND --help" tells more.`;

/** Runs one command line, without the program's own name, and gives its exit status. */
export const runProgram = async (
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> => {
  const { terminal } = surroundings;
  let exitStatus: number = EXIT.ok;
  const run: Run = async (options, body) => {
    const client = `streambro ${surroundings.version}`;
    const reached = surroundings.daemon ?? openDaemon(surroundings.socket(), client);
    const { quiet = false, json = false, debug = false } = options;
    exitStatus = await body({ terminal, daemon: reached, quiet, json, debug });
    reached.close();
  };
  try {
    await build(surroundings, run, wanted(args[0])).parseAsync(args, { from: "user" });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 && error.code !== "commander.help" ? EXIT.ok : EXIT.usage;
    throw error;
  }
};

const build = (
  { terminal, version }: Surroundings,
  run: Run,
  commands: readonly Register[],
): Command => {
  const program = new Command("streambro")
    .description("Keeps live streams on the air: tells streambrod what to stream, and how it goes.")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      getOutHelpWidth: () => terminal.columns() ?? 100,
      getErrHelpWidth: () => terminal.columns() ?? 100,
      outputError: (text, write) => {
        write(usageSentence(text));
      },
    })
    .addHelpText("after", AFTER);
  for (const register of commands) register(program, run);
  return program;
};

/** The whole program, to be described and not to be run: for manuals and for completion. */
export const describedProgram = (): Command => {
  const nothing = (): never => {
    throw new Error("this program is only described");
  };
  const terminal: Terminal = {
    out: nothing,
    err: nothing,
    columns: () => null,
    colour: () => false,
    cwd: nothing,
    now: nothing,
    readStdin: nothing,
    endWithReader: nothing,
    onInterrupt: nothing,
  };
  const surroundings = { terminal, version: "", socket: nothing };
  return build(surroundings, nothing, Object.values(COMMANDS));
};

/** Commander's words in our form; what was typed after an "=" may be a secret. */
const usageSentence = (text: string): string =>
  text.replace(/^error: /, "streambro: ").replace(/'(--[^\s'=]+)=[^']*'/, "'$1'");
