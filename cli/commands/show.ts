import { EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import { printJson, reportFailure } from "../context.ts";
import type { Context } from "../context.ts";
import { commandLine } from "../render/command-line.ts";
import { specLines } from "../render/spec.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { namedStreams } from "./targets.ts";

const ABOUT = "Show what a stream is: its settings, secrets masked.";

type Options = Standard & { readonly command?: boolean };

export const show: Register = (program, run) => {
  standard(program.command("show").argument("<name>", "the stream"), {
    about: `${ABOUT}\nFFmpeg's command line has no key in it: FFmpeg reads that from a file.`,
    examples: [
      "streambro show radio",
      "streambro show radio --json | jq -r .spec.input",
      "streambro show radio --command",
    ],
    statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.invalid],
  })
    .summary(ABOUT)
    .option("--command", "show FFmpeg's command line: what runs, else what would")
    .option("--json", "print JSON: version, spec; with --command: version, argv")
    .action(async (name: string, options: Options) =>
      run(options, async (context) => {
        const chosen = namedStreams(context, [name]);
        if (!chosen.ok) return chosen.status;
        return options.command === true ? showCommand(context, name) : showSpec(context, name);
      }),
    );
};

const showSpec = async (context: Context, name: string): Promise<number> => {
  const answer = await context.daemon.call("stream.show", { name });
  if (!answer.ok) return reportFailure(context, answer.failure, name);
  if (context.json) printJson(context, answer.result);
  else if (!context.quiet) context.terminal.out(specLines(answer.result.spec).join("\n"));
  return EXIT.ok;
};

/** What would run is worked out from the input, which may take as long as its disk does. */
const EXAMINE_MS = 60_000;

const showCommand = async (context: Context, name: string): Promise<number> => {
  const answer = await context.daemon.call("stream.command", { name }, EXAMINE_MS);
  if (!answer.ok) return reportFailure(context, answer.failure, name);
  if (context.json) printJson(context, answer.result);
  else if (!context.quiet)
    context.terminal.out(printable(commandLine(answer.result.argv), 100_000));
  return EXIT.ok;
};
