import type { Result } from "../../shared/contract/methods.ts";
import { settingName, settingValue } from "./settings-table.ts";

/** What reading the settings again has changed, and what it could not. */
export const reloadLines = ({ changed, needsRestart }: Result<"daemon.reload">): string[] => {
  const line = ({ name, from, to }: (typeof changed)[number]): string =>
    `${settingName(name)}: ${settingValue(from)} -> ${settingValue(to)}`;
  const lines = [
    ...changed.map(line),
    ...needsRestart.map((change) => `${line(change)} needs a restart of the daemon`),
  ];
  return lines.length === 0 ? ["nothing changed"] : lines;
};
