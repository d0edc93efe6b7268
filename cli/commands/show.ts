import { EXIT } from "../../shared/errors.ts";
import { printJson, reportFailure } from "../context.ts";
import { specLines } from "../render/spec.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { namedStreams } from "./targets.ts";

const ABOUT = "Show what a stream is: its settings, secrets masked.";

export const show: Register = (program, run) => {
  standard(program.command("show").argument("<name>", "the stream"), {
    about: ABOUT,
    examples: ["streambro show radio", "streambro show radio --json | jq -r .spec.input"],
    statuses: [EXIT.noSuchStream, EXIT.invalid],
  })
    .option("--json", "print JSON: version, spec")
    .action(async (name: string, options: Standard) =>
      run(options, async (context) => {
        const chosen = namedStreams(context, [name]);
        if (!chosen.ok) return chosen.status;
        const answer = await context.daemon.call("stream.show", { name });
        if (!answer.ok) return reportFailure(context, answer.failure, name);
        if (context.json) printJson(context, answer.result);
        else if (!context.quiet) context.terminal.out(specLines(answer.result.spec).join("\n"));
        return EXIT.ok;
      }),
    );
};
