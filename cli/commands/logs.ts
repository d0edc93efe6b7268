import { EXIT } from "../../shared/errors.ts";
import { followLog } from "../client/follow-log.ts";
import { reportFailure } from "../context.ts";
import type { Context } from "../context.ts";
import { logText } from "../render/log-text.ts";
import { SEVERAL } from "../exit-status.ts";
import { countOption, standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { atOnce } from "./each.ts";
import { ALL, targets } from "./targets.ts";

type Options = Standard & {
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
};

const ABOUT = "Show what FFmpeg said of a stream.";
const MOST_LINES = 10_000;

export const logs: Register = (program, run) => {
  standard(program.command("logs").argument("[name...]", "the streams"), {
    about:
      `${ABOUT} Lines of several streams begin with the stream's name.\n` +
      `-f goes on across restarts of the daemon, until interrupted or the stream is removed.\n${SEVERAL}`,
    examples: ["streambro logs radio", "streambro logs radio -f -n 0 | grep -i error"],
    statuses: [EXIT.noSuchStream, EXIT.invalid],
  })
    .summary(ABOUT)
    .option("-f, --follow", "go on with what is added")
    .option("-n, --lines <count>", "how many of the last lines", countOption(MOST_LINES), 50)
    .option("--all", ALL)
    .option("--json", "print one JSON object a line: stream, line")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        const chosen = await targets(context, names, options.all === true);
        if (!chosen.ok) return chosen.status;
        const several = chosen.names.length > 1;
        if (options.follow === true) {
          context.terminal.endWithReader();
          return atOnce(chosen.names, async (name) => print(context, name, options, several));
        }
        const statuses: number[] = [];
        for (const name of chosen.names)
          statuses.push(await print(context, name, options, several));
        return Math.max(EXIT.ok, ...statuses);
      }),
    );
};

const print = async (
  context: Context,
  name: string,
  { lines, follow }: Options,
  several: boolean,
): Promise<number> => {
  const { terminal, daemon, json } = context;
  const onTerminal = terminal.columns() !== null;
  const failure = await followLog(daemon, name, { lines, follow: follow === true }, (batch) => {
    terminal.out(logText(name, batch, { json, several, onTerminal }));
  });
  return failure === null ? EXIT.ok : reportFailure(context, failure, name);
};
