import { EXIT } from "../../shared/errors.ts";
import { untilGone } from "../client/until-gone.ts";
import { printJson, refuse, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { daemonLines } from "../render/daemon-status.ts";
import { spoken } from "../render/time.ts";
import { standard, timeoutOption } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { config } from "./daemon/config.ts";
import { reload } from "./daemon/reload.ts";

type StopOptions = Standard & { readonly keepStreams?: boolean; readonly timeout: number };

const STATUS = "Show what the daemon is and has in hand.";
const STOP = "Stop the daemon, and every stream with it unless told otherwise.";
const STOP_TIMEOUT_MS = 120_000;

export const daemon: Register = (program, run) => {
  const group = program
    .command("daemon")
    .description("Ask about the daemon itself, have it read its settings again, or stop it.")
    .addHelpText(
      "after",
      '\n"streambro daemon COMMAND --help" tells more, exit statuses included.',
    );
  standard(group.command("status"), {
    about: STATUS,
    examples: ["streambro daemon status", "streambro daemon status -q && echo 'it answers'"],
  })
    .option("--json", "print JSON: every fact")
    .action(async (options: Standard) => run(options, status));
  config(group, run);
  reload(group, run);
  standard(group.command("stop"), {
    about:
      `${STOP} Returns when it has gone.\n` +
      "Streams that were on the air are started again by the next daemon.",
    examples: ["streambro daemon stop", "streambro daemon stop --keep-streams"],
    statuses: [EXIT.failed, EXIT.tryLater],
  })
    .summary(STOP)
    .option("--keep-streams", "leave the streams on the air, for the next daemon")
    .option("--timeout <duration>", "how long at most (30s, 5m)", timeoutOption, STOP_TIMEOUT_MS)
    .action(async (options: StopOptions) =>
      run(options, async (context) => stop(context, options)),
    );
};

const status = async (context: Context): Promise<number> => {
  const answer = await context.daemon.call("daemon.status", {});
  if (!answer.ok) return reportFailure(context, answer.failure);
  if (context.quiet) return EXIT.ok;
  if (context.json) printJson(context, answer.result);
  else context.terminal.out(daemonLines(answer.result, context.terminal.now()).join("\n"));
  return EXIT.ok;
};

const stop = async (context: Context, options: StopOptions): Promise<number> => {
  const { terminal } = context;
  const keepStreams = options.keepStreams === true;
  const deadline = terminal.now() + options.timeout;
  const answer = await context.daemon.call("daemon.stop", { keepStreams }, options.timeout);
  // One that hangs up instead of answering may well have stopped: whether it has is seen next.
  if (!answer.ok && answer.failure.reason !== "closed")
    return reportFailure(context, answer.failure);
  const pid = answer.ok ? answer.result.pid : null;
  if (!(await untilGone(context.daemon, pid, deadline, terminal.now))) {
    const waited = spoken(options.timeout);
    return refuse(
      context,
      EXIT.timeout,
      `the daemon has not gone within ${waited}; it may be stopping.`,
    );
  }
  const count = answer.ok ? answer.result.streams : null;
  say(context, `streambrod: stopped${count === null ? "" : fate(count, keepStreams)}`);
  const foreign = answer.ok ? (answer.result.foreign ?? 0) : 0;
  if (foreign > 0)
    say(context, `${foreign} foreign ${foreign === 1 ? "stream" : "streams"} left on the air.`);
  return EXIT.ok;
};

const fate = (count: number, kept: boolean): string => {
  const streams = count === 1 ? "1 stream" : `${count} streams`;
  if (kept) return count === 0 ? ", no stream was on the air" : `, ${streams} left on the air`;
  return count === 0 ? ", no stream was on the air" : `, ${streams} with it`;
};
