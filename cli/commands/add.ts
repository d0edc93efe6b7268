import type { Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import { printJson, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { spoken } from "../render/time.ts";
import { tracksText } from "../render/tracks.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { tellMoved } from "./move.ts";
import { ENCODING_HELP } from "./encoding-options.ts";
import { addSpecOptions, readSpec } from "./spec-options.ts";
import type { SpecOptions } from "./spec-options.ts";
import { START } from "./start.ts";

type Options = Standard &
  SpecOptions & { readonly input: string; readonly to: string; readonly start?: boolean };

const ABOUT = "Register a stream: what to play, and where to send it.";

/** The input is examined before the daemon answers, which may take as long as its disk does. */
const EXAMINE_MS = 60_000;

export const add: Register = (program, run) => {
  const command = standard(program.command("add").argument("<name>", "what to call it"), {
    about:
      `${ABOUT} It plays in a loop unless told otherwise.\n` +
      "The key never goes on the command line, where ps would show it: it is read from a file or from\n" +
      "standard input, without the newline at its end. A file that cannot be read ends with 1, contents\n" +
      "that are no key (empty, over 4 KiB, more than one line) with 78.\n" +
      ENCODING_HELP,
    examples: [
      "streambro add radio --input film.mp4 --to rtmp://live.example.com/app --key-file ~/.key --start",
      "pass show youtube | streambro add clip --input clip.mp4 --to rtmps://a.example/live2 --key-stdin",
      "streambro add small --input film.mkv --to rtmp://a.example/live --key-file k --mode encode --size 1280x720 --fps 30",
      "streambro add once --input show.mp4 --to srt://192.0.2.7:9000 --no-loop",
    ],
    statuses: [EXIT.failed, EXIT.tryLater, EXIT.invalid],
  }).summary(ABOUT);
  addSpecOptions(command, true)
    .option("--no-loop", "play it once instead of for ever")
    .option("--start", "start it, too")
    .option("--json", "print JSON: what was added")
    .action(async (name: string, options: Options) =>
      run(options, async (context) => register(context, name, options)),
    );
};

const register = async (context: Context, name: string, options: Options): Promise<number> => {
  const { daemon } = context;
  const given = await readSpec(context, name, options);
  if (!given.ok) return given.status;
  const { input, to, ...rest } = { input: "", to: "", ...given.fields };
  const added = await daemon.call("stream.add", { name, input, to, ...rest }, EXAMINE_MS);
  if (!added.ok) return reportFailure(context, added.failure, `${name}: not added`);
  if (context.json && options.start !== true) printJson(context, { version: 1, ...added.result });
  say(context, describe(added.result));
  if (options.start !== true) return EXIT.ok;
  const started = await daemon.call("stream.start", { name });
  if (!started.ok)
    return reportFailure(context, started.failure, `${name}: added, but not started`);
  tellMoved(context, START, started.result.changed, started.result.stream);
  return EXIT.ok;
};

const describe = ({ stream, input }: Result<"stream.add">): string => {
  const file = stream.input.slice(stream.input.lastIndexOf("/") + 1);
  const to = stream.outputs.map(({ url }) => printable(url)).join(", ");
  const length = spoken(input.durationMs);
  return `${stream.name}: added: ${printable(file)}, ${length}, ${to}; ready: ${tracksText(input)}`;
};
