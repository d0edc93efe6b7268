import type { Result } from "../../shared/contract/methods.ts";
import { printable } from "../../shared/stream-name.ts";
import { table } from "./table.ts";

type Setting = Result<"daemon.config">["settings"][number];

/** A setting's name as the file has it. */
export const settingName = (name: string): string => printable(name.toLowerCase());

/** A setting's value in one line; what is empty is made visible. */
export const settingValue = (value: Setting["value"]): string =>
  value === "" ? '""' : printable(String(value), 4096);

/** One setting a line: its value, where that comes from, and what is remarkable about it. */
export const settingsTable = (settings: readonly Setting[], room: number | null): string[] =>
  table(
    [
      { title: "SETTING", text: ({ name }) => settingName(name) },
      { title: "VALUE", text: ({ value }) => settingValue(value) },
      { title: "FROM", text: ({ origin }) => origin },
      { title: "NOTE", text: noteOf },
    ],
    settings,
    room,
  );

const noteOf = (setting: Setting): string => {
  const { value, live, pending } = setting;
  const notes = [
    ...(value === setting.default ? [] : [`default ${settingValue(setting.default)}`]),
    ...(pending === undefined ? [] : [`${settingValue(pending)} after a restart`]),
    ...(live || pending !== undefined ? [] : ["only a restart changes it"]),
  ];
  return notes.length === 0 ? "-" : notes.join("; ");
};
