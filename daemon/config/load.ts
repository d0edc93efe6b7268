import type { Environment } from "../../shared/paths.ts";
import { printable } from "../../shared/stream-name.ts";
import { type SettingName, SETTING_NAMES, asOption, inFile } from "./names.ts";
import { type Settings, SettingsSchema } from "./settings.ts";
import { readSettingsFile } from "./settings-file.ts";

export type Origin = "default" | "flag" | "environment" | "file";

/** Where settings are taken from: flags over the environment over the file. */
export type Sources = {
  readonly flags: ReadonlyMap<SettingName, string>;
  readonly env: Environment;
  readonly file: string;
  /** Whether the file was asked for; the one that is looked for by default need not exist. */
  readonly mustExist: boolean;
};

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly origins: Readonly<Record<SettingName, Origin>>;
      readonly fileFound: boolean;
    }
  /** Every error of every source, a sentence each. */
  | { readonly ok: false; readonly errors: readonly string[] };

type Given = {
  readonly name: SettingName;
  readonly origin: Origin;
  readonly where: string;
  readonly value: unknown;
};

const MOST_ERRORS = 50;

/** Reads every source. A wrong value is an error even where another source has a right one. */
export const loadSettings = (sources: Sources, again = false): Loaded => {
  const file = readSettingsFile(sources.file, sources.mustExist, again);
  const errors = [...file.errors];
  const values: Record<string, unknown> = {};
  const given = new Map<SettingName, Given>();
  for (const one of allSaid(sources, file.values)) {
    const parsed = SettingsSchema.shape[one.name].safeParse(one.value);
    if (parsed.success) values[one.name] = parsed.data;
    else errors.push(`${one.where}: ${parsed.error.issues[0]?.message ?? "it is wrong"}.`);
    given.set(one.name, one);
  }
  if (errors.length === 0) {
    const settings = SettingsSchema.parse(values);
    errors.push(...contradictions(settings, given));
    if (errors.length === 0)
      return { ok: true, settings, origins: originsOf(given), fileFound: file.found };
  }
  const more = errors.length - MOST_ERRORS;
  const told = errors.slice(0, MOST_ERRORS);
  return { ok: false, errors: more > 0 ? [...told, `There are ${more} more errors.`] : told };
};

/** What the sources say, the one that counts most last. */
const allSaid = (
  { file, env, flags }: Sources,
  values: ReadonlyMap<SettingName, unknown>,
): Given[] => [
  ...[...values].map(([name, value]): Given => {
    const where = `${printable(file, 4096)}: ${inFile(name)}`;
    return { name, origin: "file", where, value };
  }),
  ...SETTING_NAMES.filter((name) => (env[name] ?? "") !== "").map((name): Given => {
    const where = `the environment's ${name}`;
    return { name, origin: "environment", where, value: env[name] };
  }),
  ...[...flags].map(([name, value]): Given => {
    return { name, origin: "flag", where: `--${asOption(name)}`, value };
  }),
];

const originsOf = (given: ReadonlyMap<SettingName, Given>): Record<SettingName, Origin> =>
  Object.fromEntries(
    SETTING_NAMES.map((name) => [name, given.get(name)?.origin ?? "default"]),
  ) as Record<SettingName, Origin>;

/** Pairs of which the first may not be greater than the second. */
const ORDERED = [
  ["RETRY_FIRST_MS", "RETRY_MAX_MS"],
  ["RETRY_MAX_MS", "RETRY_MAX_LATER_MS"],
] as const;

/** Values that are right and do not go together, where somebody has given both: a default gives way. */
const contradictions = (settings: Settings, given: ReadonlyMap<SettingName, Given>): string[] =>
  ORDERED.flatMap(([less, more]) => {
    const [one, other] = [given.get(less), given.get(more)];
    if (one === undefined || other === undefined || settings[less] <= settings[more]) return [];
    return [
      `${one.where}: ${settings[less]} is more than the ${settings[more]} of ${other.where}.`,
    ];
  });
