import { parseArgs } from "node:util";
import { printable } from "../../shared/stream-name.ts";
import { type SettingName, SETTING_NAMES, asOption, nearest } from "./names.ts";
import { SettingsSchema } from "./settings.ts";

/** Command line of streambrod, values not looked at yet. */
export type CommandLine = {
  readonly ok: true;
  readonly config: string | null;
  readonly pretty: boolean;
  readonly ask: "help" | "help-settings" | "version" | null;
  readonly settings: ReadonlyMap<SettingName, string>;
};
type Misused = { readonly ok: false; readonly message: string };

const ASKS = ["help", "help-settings", "version"] as const;
const SETTING_OF = new Map(SETTING_NAMES.map((name) => [asOption(name), name]));
const KNOWN = ["config", "pretty", ...ASKS, ...SETTING_OF.keys()];

/** Yes or no: the word after it may be left out, and is then yes. */
const isFlag = (name: SettingName): boolean =>
  typeof SettingsSchema.shape[name].parse(undefined) === "boolean";

/** Of an option that is there twice the last one counts. What is no option is misuse; a value is not judged. */
export const readCommandLine = (args: readonly string[]): CommandLine | Misused => {
  const settings = new Map<SettingName, string>();
  let config: string | null = null;
  let pretty = false;
  let ask: CommandLine["ask"] = null;
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  /** Where the word that a flag may take would stand. */
  let wordOf: { readonly at: number; readonly name: SettingName } | null = null;
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (wordOf?.at !== token.index) return misused(`"${printable(token.value)}" is no option.`);
      settings.set(wordOf.name, token.value);
      continue;
    }
    if (token.kind === "option-terminator") return misused('"--" means nothing here.');
    const { name, rawName, value, inlineValue } = token;
    const setting = SETTING_OF.get(name);
    if (!KNOWN.includes(name)) return misused(unknown(rawName));
    if (OPTIONS[name]?.type === "string") {
      const missing = value === undefined || (!inlineValue && value.startsWith("--"));
      if (missing) return misused(`${rawName} needs a value.`);
      if (setting !== undefined) settings.set(setting, value);
      else if (value === "") return misused(`${rawName} needs the path of a file.`);
      else config = value;
    } else if (setting !== undefined) {
      settings.set(setting, value ?? "true");
      wordOf = value === undefined ? { at: token.index + 1, name: setting } : null;
    } else if (value !== undefined) return misused(`${rawName} takes no value.`);
    else if (name === "pretty") pretty = true;
    else ask ??= ASKS.find((one) => one === name) ?? null;
  }
  return { ok: true, config, pretty, ask, settings };
};

const OPTIONS: Readonly<Record<string, { type: "string" | "boolean"; short?: string }>> = {
  config: { type: "string" },
  pretty: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  "help-settings": { type: "boolean" },
  version: { type: "boolean" },
  ...Object.fromEntries(
    [...SETTING_OF].map(([option, name]) => [
      option,
      { type: isFlag(name) ? "boolean" : "string" } as const,
    ]),
  ),
};

const misused = (why: string): Misused => ({ ok: false, message: `${why} See: streambrod --help` });

const unknown = (typed: string): string => {
  const meant = typed.startsWith("--") ? nearest(typed, KNOWN) : null;
  const advice = meant === null ? "" : ` Did you mean --${meant}?`;
  return `there is no option ${printable(typed, 80)}.${advice}`;
};
