import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { EXIT } from "../../shared/errors.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { modelOf } from "../completion/model.ts";
import type { CommandModel } from "../completion/model.ts";
import { zshCompletion } from "../completion/zsh.ts";
import type { Context } from "../context.ts";
import { standard } from "./command.ts";
import type { Run, Standard } from "./command.ts";

const SHELLS: Readonly<Record<string, (program: CommandModel) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};
const PLACES: Readonly<Record<string, string>> = {
  bash: "~/.local/share/bash-completion/completions/streambro",
  zsh: "~/.zfunc/_streambro    # a folder of fpath",
  fish: "~/.config/fish/completions/streambro.fish",
};
/** Somebody sits before a prompt and waits. */
const NAMES_MS = 800;

/** Adds `completion`, for a program whose commands `whole` has all of. */
export const addCompletion = (program: Command, run: Run, whole: () => Command): void => {
  const group = program
    .command("completion")
    .description("Print what has a shell complete commands, options and the streams' names.")
    .addHelpText(
      "after",
      "\nDebian's package has put it in place for all three shells already; else see:\n" +
        "streambro completion SHELL --help",
    );
  for (const [shell, script] of Object.entries(SHELLS)) {
    standard(group.command(shell), {
      about: `Print the completion script for ${shell}.`,
      examples: [`streambro completion ${shell} >${PLACES[shell] ?? ""}`],
    }).action(async (options: Standard) =>
      run(options, async ({ terminal }) => {
        terminal.out(script(modelOf(whole())));
        return EXIT.ok;
      }),
    );
  }
  standard(group.command("names", { hidden: true }), {
    about: "Print the streams' names, a line each; nothing where no daemon answers at once.",
    examples: ["streambro completion names"],
  }).action(async (options: Standard) => run(options, names));
};

/** Says nothing but names: it is asked in the middle of somebody's typing. */
const names = async ({ daemon, terminal }: Context): Promise<number> => {
  const asked = daemon.call("stream.status", {}).catch(() => null);
  const answer = await Promise.race([asked, setTimeout(NAMES_MS, null)]);
  const found = answer?.ok === true ? answer.result.streams.map(({ name }) => name) : [];
  if (found.length > 0) terminal.out(found.join("\n"));
  return EXIT.ok;
};
