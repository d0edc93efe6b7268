import { EXIT } from "../../shared/errors.ts";
import { printJson, reportFailure } from "../context.ts";
import type { Context } from "../context.ts";
import { encoderLines } from "../render/encoders.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";

type Options = Standard & { readonly refresh?: boolean };

const ABOUT = "Show which H.264 encoders work on the daemon's machine.";
/** The daemon gives up after ten seconds; the rest is for one that is waited for first. */
const DETECTION_MS = 20_000;

export const encoders: Register = (program, run) => {
  standard(program.command("encoders"), {
    about:
      `${ABOUT}\n` +
      "Each was tried out with a few frames; what FFmpeg said where one failed is its reason.\n" +
      "The daemon tries them at its start and again when FFmpeg or a device has changed.",
    examples: [
      "streambro encoders",
      "streambro encoders --refresh    # after a driver was installed",
      "streambro encoders --json | jq -r .preferred",
    ],
  })
    .summary(ABOUT)
    .option("--refresh", "try them again now; takes ten seconds at most")
    .option("--json", "print JSON: nvidia, intelQSV, appleVT, preferred, fallback, encoders")
    .action(async (options: Options) =>
      run(options, async (context) => show(context, options.refresh === true)),
    );
};

const show = async (context: Context, refresh: boolean): Promise<number> => {
  const { daemon, terminal, json, quiet } = context;
  const answer = await daemon.call("encoders.get", refresh ? { refresh } : {}, DETECTION_MS);
  if (!answer.ok) return reportFailure(context, answer.failure);
  if (quiet) return EXIT.ok;
  if (json) printJson(context, answer.result);
  else terminal.out(encoderLines(answer.result, terminal.columns()).join("\n"));
  return EXIT.ok;
};
