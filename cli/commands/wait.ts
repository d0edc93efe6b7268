import { Option } from "commander";
import { EXIT } from "../../shared/errors.ts";
import type { Goal } from "../client/await-state.ts";
import { SEVERAL } from "../exit-status.ts";
import { standard, timeoutOption } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { atOnce } from "./each.ts";
import { awaitAndTell, interruption } from "./outcome.ts";
import { ALL, targets } from "./targets.ts";

type Options = Standard & {
  readonly for: Goal;
  readonly all?: boolean;
  readonly timeout?: number;
};

const ABOUT = "Wait until streams are live, or stopped, across restarts of the daemon.";

export const wait: Register = (program, run) => {
  standard(program.command("wait").argument("[name...]", "the streams"), {
    about:
      `${ABOUT} Nothing is started or stopped.\n` +
      "A daemon that is not there yet is waited for under --timeout, and is an error (69) without.\n" +
      SEVERAL,
    examples: [
      "streambro wait radio --for live --timeout 1m && notify-send 'on the air'",
      "streambro wait --all --for stopped",
    ],
    statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.invalid, EXIT.interrupted],
  })
    .summary(ABOUT)
    .addOption(
      new Option("--for <state>", "what to wait for")
        .choices(["live", "stopped"])
        .makeOptionMandatory(),
    )
    .option("--all", ALL)
    .option("--timeout <duration>", "how long at most (30s, 2m; else for ever)", timeoutOption)
    .option("--json", "print one JSON object a stream")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        const begun = context.terminal.now();
        const chosen = await targets(context, names, options.all === true);
        if (!chosen.ok) return chosen.status;
        const interrupted = interruption(context);
        const timeoutMs = options.timeout ?? null;
        return atOnce(chosen.names, async (name) =>
          awaitAndTell(
            context,
            name,
            { goal: options.for, timeoutMs, begun },
            { interrupted, unseen: timeoutMs !== null },
          ),
        );
      }),
    );
};
