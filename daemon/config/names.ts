import { type Settings, SettingsSchema } from "./settings.ts";

export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(SettingsSchema.shape) as SettingName[];

/** A setting's name in the configuration file. */
export const inFile = (name: SettingName): string => name.toLowerCase();

/** A setting's name as an option of streambrod, without the hyphens before it. */
export const asOption = (name: SettingName): string => name.toLowerCase().replaceAll("_", "-");

/** The setting that a key of the file means, in whatever case. */
export const settingNamed = (key: string): SettingName | undefined =>
  SETTING_NAMES.find((name) => name === key.toUpperCase());

/** What somebody may have meant by a word that is none of `known`; null where nothing is near. */
export const nearest = (word: string, known: readonly string[]): string | null => {
  const typed = plain(word);
  // A word much longer than any name is not worth the comparison.
  if (typed.length > 64) return null;
  const ranked = known
    .map((name) => ({ name, distance: distance(typed, plain(name)) }))
    .toSorted((one, other) => one.distance - other.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, typed.length / 4) ? best.name : null;
};

const plain = (word: string): string => word.toLowerCase().replace(/[-_\s]/g, "");

/** How many letters must be put in, taken out or changed to make one word of the other. */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [i, letter] of one.split("").entries()) {
    const next = [i + 1];
    for (const [j, there] of other.split("").entries()) {
      const changed = (row[j] ?? 0) + (letter === there ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};
