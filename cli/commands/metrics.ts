import { EXIT } from "../../shared/errors.ts";
import { printJson, reportFailure } from "../context.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";

const ABOUT = "Print every metric, as Prometheus reads it.";

export const metrics: Register = (program, run) => {
  standard(program.command("metrics"), {
    about:
      `${ABOUT}\n` +
      "The setting METRICS_LISTEN has the daemon serve the same over HTTP. With -q only the exit\n" +
      "status tells.",
    examples: [
      "streambro metrics >/var/lib/node_exporter/streambro.prom",
      "streambro metrics --json | jq '.metrics[] | select(.name == \"streambro_active_streams\")'",
    ],
  })
    .summary(ABOUT)
    .option("--json", "print JSON: version, metrics")
    .action(async (options: Standard) =>
      run(options, async (context) => {
        const answer = await context.daemon.call("daemon.metrics", {});
        if (!answer.ok) return reportFailure(context, answer.failure);
        const { version, metrics: found, text } = answer.result;
        if (context.json) printJson(context, { version, metrics: found });
        else if (!context.quiet) context.terminal.out(text.trimEnd());
        return EXIT.ok;
      }),
    );
};
