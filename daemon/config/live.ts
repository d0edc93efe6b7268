import type { Configuration, Reloaded } from "../../shared/contract/daemon.ts";
import { type Origin, type Sources, loadSettings } from "./load.ts";
import { type SettingName, SETTING_NAMES } from "./names.ts";
import { type Settings, SettingsSchema } from "./settings.ts";

/** Settings that are read once, at the start. There are none: whoever needs one asks at each use. */
const FIXED: ReadonlySet<SettingName> = new Set<SettingName>();

export type Change = Reloaded["changed"][number];
type Refused = { readonly ok: false; readonly errors: readonly string[] };
export type Reloading =
  | { readonly ok: true; readonly changed: Change[]; readonly needsRestart: Change[] }
  | Refused;

/** Told after a change, with settings as they are and as they were; must not throw. */
type Listener = (now: Settings, before: Settings) => void;
/** Told of each attempt, whatever comes of it; must not throw. */
type ReloadListener = (phase: "begun" | "over") => void;
type Origins = Readonly<Record<SettingName, Origin>>;
type Taken = {
  readonly settings: Settings;
  readonly origins: Origins;
  /** What the sources say, where that waits for a restart. */
  readonly pending: ReadonlyMap<SettingName, Settings[SettingName]>;
  readonly fileFound: boolean;
};

/** The settings of this daemon, which a reload can replace. */
export class LiveSettings {
  readonly #sources: Sources;
  readonly #fixed: ReadonlySet<SettingName>;
  readonly #listeners: Listener[] = [];
  readonly #reloadListeners: ReloadListener[] = [];
  #taken: Taken;

  /** `sources` are read here for the first time, and wrong ones refused with every error in them. */
  static load(
    sources: Sources,
    fixed = FIXED,
  ): { readonly ok: true; readonly live: LiveSettings } | Refused {
    const loaded = loadSettings(sources);
    if (!loaded.ok) return loaded;
    const live = new LiveSettings(sources, fixed, { ...loaded, pending: new Map() });
    return { ok: true, live };
  }

  private constructor(sources: Sources, fixed: ReadonlySet<SettingName>, taken: Taken) {
    this.#fixed = fixed;
    // What is in the environment now is what this daemon was started with.
    this.#sources = { ...sources, env: { ...sources.env } };
    this.#taken = taken;
  }

  /** As they are now: to be asked at each use, and not kept. */
  current(): Settings {
    return this.#taken.settings;
  }

  /** For what has to be told of a change because it does not ask by itself. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  onReload(listener: ReloadListener): void {
    this.#reloadListeners.push(listener);
  }

  /** Takes up what the file says by now; all of it, or where anything is wrong nothing. */
  reload(): Reloading {
    for (const listener of this.#reloadListeners) listener("begun");
    try {
      return this.#takeUp();
    } finally {
      for (const listener of this.#reloadListeners) listener("over");
    }
  }

  #takeUp(): Reloading {
    const before = this.#taken;
    // A file that is gone means no wish for every default.
    const mustExist = this.#sources.mustExist || before.fileFound;
    const loaded = loadSettings({ ...this.#sources, mustExist }, true);
    if (!loaded.ok) return loaded;
    const differing = SETTING_NAMES.flatMap((name): Change[] => {
      const [from, to] = [before.settings[name], loaded.settings[name]];
      return from === to ? [] : [{ name, from, to }];
    });
    const isFixed = ({ name }: Change): boolean => this.#fixed.has(name as SettingName);
    const needsRestart = differing.filter(isFixed);
    const kept = Object.fromEntries(needsRestart.map(({ name, from }) => [name, from]));
    const origins = Object.fromEntries(
      needsRestart.map(({ name }) => [name, before.origins[name as SettingName]]),
    );
    this.#taken = {
      settings: { ...loaded.settings, ...kept },
      origins: { ...loaded.origins, ...origins },
      pending: new Map(needsRestart.map(({ name, to }) => [name as SettingName, to])),
      fileFound: loaded.fileFound,
    };
    const changed = differing.filter((change) => !isFixed(change));
    if (changed.length > 0)
      for (const listener of this.#listeners) listener(this.#taken.settings, before.settings);
    return { ok: true, changed, needsRestart };
  }

  /** Every setting, its value and where that comes from. None of them is a secret. */
  describe(): Configuration {
    const { settings, origins, pending, fileFound } = this.#taken;
    const defaults = SettingsSchema.parse({});
    return {
      version: 1,
      file: fileFound ? this.#sources.file : null,
      settings: SETTING_NAMES.map((name) => {
        const next = pending.get(name);
        return {
          name,
          value: settings[name],
          default: defaults[name],
          origin: origins[name],
          live: !this.#fixed.has(name),
          ...(next === undefined ? {} : { pending: next }),
        };
      }),
    };
  }
}
