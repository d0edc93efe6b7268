import type { Command } from "commander";
import { EXIT } from "../../../shared/errors.ts";
import { exitStatusOf } from "../../client/failure.ts";
import { printJson, refuse, reportFailure, say } from "../../context.ts";
import type { Context } from "../../context.ts";
import { reloadLines } from "../../render/reload.ts";
import { standard } from "../command.ts";
import type { Run, Standard } from "../command.ts";

const RELOAD = "Have the daemon read its settings again.";

/** Adds `daemon reload`. */
export const reload = (group: Command, run: Run): void => {
  standard(group.command("reload"), {
    about:
      `${RELOAD} No stream is touched: what runs already keeps what it was begun with.\n` +
      "Where anything is wrong with the new settings the old ones stay, and every error is listed.",
    examples: ["streambro daemon reload"],
    statuses: [EXIT.invalid],
  })
    .summary(RELOAD)
    .option("--json", "print JSON: version, changed, needsRestart")
    .action(async (options: Standard) => run(options, carryOut));
};

const carryOut = async (context: Context): Promise<number> => {
  const answer = await context.daemon.call("daemon.reload", {});
  if (!answer.ok) {
    const { failure } = answer;
    if (failure.reason !== "refused" || failure.errors === undefined)
      return reportFailure(context, failure);
    for (const error of failure.errors) refuse(context, exitStatusOf(failure), error);
    return refuse(context, exitStatusOf(failure), "nothing was changed: the old settings stay.");
  }
  if (context.json && !context.quiet) printJson(context, answer.result);
  else say(context, reloadLines(answer.result).join("\n"));
  return EXIT.ok;
};
