import { SETTING_NAMES, asOption, inFile } from "../../daemon/config/names.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { daemonDirectories } from "../../shared/paths.ts";
import { defaultText } from "../default-config.ts";
import { entry, example, heading, page, paragraphs, title } from "./roff.ts";

/** streambro.yaml(5): the table of settings. */
export const streambroYamlPage = (version: string): string => {
  const { config } = daemonDirectories({}, 0, "/root");
  return page(
    title("streambro.yaml", 5, version, "settings of streambrod"),
    heading("DESCRIPTION"),
    paragraphs(
      `${config} is read by the system's daemon, ~/.config/streambro/streambro.yaml by one that an ` +
        "ordinary user runs. It is a mapping in YAML; what is not in it has its default.\n\n" +
        "Every setting can also be an option of streambrod or a variable of its environment: an " +
        "option counts more than the environment, that more than the file. A name or a value that is " +
        "wrong is refused with a sentence, and the daemon does not start; told to read its settings " +
        "again (streambro daemon reload, or SIGHUP) it keeps the ones that it has. No stream is " +
        "touched by that.",
    ),
    heading("SETTINGS"),
    ...SETTING_NAMES.map((name) => {
      const about = SettingsSchema.shape[name].description ?? "";
      return entry(
        `${inFile(name)}: ${defaultText(name)}`,
        `${about}\nAlso --${asOption(name)} and ${name}.`,
      );
    }),
    heading("EXAMPLE"),
    example(["force_kill_timeout_ms: 8000", "metrics_listen: 127.0.0.1:9464", "log_level: debug"]),
    heading("SEE ALSO"),
    "\\fBstreambro\\fR(1), \\fBstreambrod\\fR(8)",
  );
};
