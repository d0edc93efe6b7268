import type { Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, refuseUsage, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { ENCODING_HELP, encodingFields } from "./encoding-options.ts";
import { addSpecOptions, readSpec } from "./spec-options.ts";
import type { SpecOptions } from "./spec-options.ts";

type Options = Standard & SpecOptions & { readonly restart?: boolean };

const ABOUT = "Change a stream; one that runs keeps its old settings until it is restarted.";
const EXAMINE_MS = 60_000;

export const set: Register = (program, run) => {
  const command = standard(program.command("set").argument("<name>", "the stream"), {
    about: `${ABOUT}\nWhat is not mentioned stays as it is.\n${ENCODING_HELP}`,
    examples: [
      "streambro set radio --input other.mp4 --restart",
      "streambro set radio --mode encode --size 1280x720 --video-bitrate 2500k --preset default",
      "streambro set radio --key-file ~/.new-key --restart",
    ],
    statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.tryLater, EXIT.invalid],
  }).summary(ABOUT);
  addSpecOptions(command, false)
    .option("--loop", "play it for ever")
    .option("--no-loop", "play it once")
    .option("--restart", "restart it, if it runs and the change needs that")
    .option("--json", "print JSON: what became of it")
    .action(async (name: string, options: Options) =>
      run(options, async (context) => change(context, name, options)),
    );
};

const change = async (context: Context, name: string, options: Options): Promise<number> => {
  const { input, to, keyFile, keyStdin, owner, loop } = options;
  const given = [
    input,
    to,
    keyFile,
    keyStdin,
    owner,
    loop,
    ...Object.values(encodingFields(options)),
  ];
  if (given.every((option) => option === undefined)) {
    return refuseUsage(context, `nothing to change was given. See: streambro set --help`);
  }
  const read = await readSpec(context, name, options);
  if (!read.ok) return read.status;
  const restart = options.restart === true ? { restart: true } : {};
  const params = { name, ...read.fields, ...restart };
  const answer = await context.daemon.call("stream.set", params, EXAMINE_MS);
  if (!answer.ok) return reportFailure(context, answer.failure, `${name}: not changed`);
  if (context.json) printJson(context, { version: 1, ...answer.result });
  say(context, `${name}: ${describe(name, answer.result)}`);
  return EXIT.ok;
};

const describe = (
  name: string,
  { changed, needsRestart, restarted }: Result<"stream.set">,
): string => {
  const what = changed ? "changed" : "already so";
  if (restarted) return `${what}, restarting`;
  return needsRestart
    ? `${what}; what is on the air keeps its old settings until: streambro restart ${name}`
    : what;
};
