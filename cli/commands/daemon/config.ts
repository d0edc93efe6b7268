import type { Command } from "commander";
import { EXIT } from "../../../shared/errors.ts";
import { printable } from "../../../shared/stream-name.ts";
import { printJson, reportFailure, say } from "../../context.ts";
import type { Context } from "../../context.ts";
import { settingsTable } from "../../render/settings-table.ts";
import { standard } from "../command.ts";
import type { Run, Standard } from "../command.ts";

const CONFIG = "Show each setting, its value and where it comes from.";

/** Adds `daemon config`. */
export const config = (group: Command, run: Run): void => {
  standard(group.command("config"), {
    about:
      `${CONFIG}\nA value that is not the default is marked, and so is what only a restart of the ` +
      "daemon changes.",
    examples: [
      "streambro daemon config",
      "streambro daemon config --json | jq '.settings[] | select(.origin != \"default\")'",
    ],
  })
    .summary(CONFIG)
    .option("--json", "print JSON: version, file, settings")
    .action(async (options: Standard) => run(options, show));
};

const show = async (context: Context): Promise<number> => {
  const answer = await context.daemon.call("daemon.config", {});
  if (!answer.ok) return reportFailure(context, answer.failure);
  if (context.quiet) return EXIT.ok;
  const { result } = answer;
  if (context.json) {
    printJson(context, result);
    return EXIT.ok;
  }
  context.terminal.out(settingsTable(result.settings, context.terminal.columns()).join("\n"));
  const { file } = result;
  say(context, file === null ? "No file of settings was read." : `file: ${printable(file, 4096)}`);
  return EXIT.ok;
};
