import { EXIT } from "../../shared/errors.ts";
import { printJson, say } from "../context.ts";
import { SEVERAL } from "../exit-status.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { inTurn } from "./each.ts";
import { ALL, targets } from "./targets.ts";

type Options = Standard & { readonly all?: boolean };

const ABOUT = "Stop streams, then forget them and every file kept for them.";

/** A stream is stopped first, and a receiver that no longer reads makes that take its time. */
const REMOVE_MS = 60_000;

export const remove: Register = (program, run) => {
  standard(program.command("rm").argument("[name...]", "the streams"), {
    about: `${ABOUT} What they played is not touched.\n${SEVERAL}`,
    examples: ["streambro rm radio", "streambro rm --all -q"],
    statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.tryLater, EXIT.invalid],
  })
    .summary(ABOUT)
    .option("--all", ALL)
    .option("--json", "print one JSON object a stream")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        const chosen = await targets(context, names, options.all === true);
        if (!chosen.ok) return chosen.status;
        return inTurn(context, chosen.names, async (name) => {
          const answer = await context.daemon.call("stream.remove", { name }, REMOVE_MS);
          if (!answer.ok) return { failure: answer.failure, undone: `${name}: not removed` };
          if (context.json) printJson(context, { version: 1, name, removed: true });
          say(context, `${name}: removed`);
          return EXIT.ok;
        });
      }),
    );
};
