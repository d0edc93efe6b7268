import { SETTING_NAMES, asOption } from "./names.ts";
import { SettingsSchema } from "./settings.ts";

export const HELP = `Usage: streambrod [--config FILE] [--pretty] [--SETTING VALUE]...

Runs in the foreground, keeps streams on the air and answers streambro on a Unix socket.
It logs one JSON object a line to its standard output, and for systemd's journal a sentence,
the rest as JSON behind it, with its priority. SIGTERM and SIGINT stop the streams
and end it; streams that were running run again after its next start. Killed in any other
way it leaves them on the air, and the next one takes them over. SIGHUP reads the settings
again, as "streambro daemon reload" does; SIGUSR2 ends it and leaves the streams on the air.

  --config FILE    settings (YAML); default: /etc/streambro/streambro.yaml for root and
                   the service, else ~/.config/streambro/streambro.yaml
  --pretty         log for people instead of JSON
  --SETTING VALUE  any setting, such as --force-kill-timeout-ms 5000 or --limiter-enabled false
  --help-settings  every setting with its default
  --version        the version
  --help           this text

An option counts more than the environment, that more than the file.
Environment: STREAMBRO_SOCKET, STREAMBRO_STATE_DIR, STREAMBRO_RUNTIME_DIR, STREAMBRO_CONFIG,
and every setting by its name, such as FORCE_KILL_TIMEOUT_MS=5000 (see docs/settings.md).

Exit status: 0 ended as asked, 1 could not start, 2 usage, 78 invalid setting.
`;

/** Every setting as an option, its default, and what it is for. */
export const settingsHelp = (): string => {
  const defaults = SettingsSchema.parse({});
  const rows = SETTING_NAMES.map((name) => {
    const usual = defaults[name] === "" ? '""' : String(defaults[name]);
    return [`--${asOption(name)}`, usual, SettingsSchema.shape[name].description ?? ""] as const;
  });
  const widest = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [widest(0), widest(1)];
  const lines = rows.map(
    ([option, usual, about]) => `  ${option.padEnd(first)}  ${usual.padEnd(second)}  ${about}\n`,
  );
  return (
    "Every setting as an option with its default. In the environment it is called\n" +
    "FORCE_KILL_TIMEOUT_MS, in the file force_kill_timeout_ms.\n\n" +
    lines.join("")
  );
};
