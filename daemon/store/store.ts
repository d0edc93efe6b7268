import { accessSync, constants, existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { isStreamName } from "../../shared/stream-name.ts";
import { clearHalfWritten } from "./atomic-file.ts";
import { type Layout, makeLayout, placesOf } from "./layout.ts";
import { withExactWords, withFirstWords } from "./later-words.ts";
import { type LeftStream, leftStreams } from "./left.ts";
import { Records, type SetAside, type Unread, storageFailure } from "./records.ts";
import { MemoryRecord, SpecRecord } from "./schemas.ts";
import { SecretStore } from "./secrets.ts";

export type Loaded = {
  readonly specs: Map<string, SpecRecord>;
  readonly memories: Map<string, MemoryRecord>;
  readonly setAside: readonly SetAside[];
  readonly unread: readonly Unread[];
  /** Keys that cannot be read and never will be; their streams are in `specs`. */
  readonly lostKeys: readonly Unread[];
  /** By name: their names are taken, and they are in none of the others. */
  readonly left: ReadonlyMap<string, LeftStream>;
};

/** Everything one daemon keeps on disk. */
export class Store {
  readonly layout: Layout;
  readonly specs: Records<typeof SpecRecord>;
  readonly memories: Records<typeof MemoryRecord>;
  readonly secrets: SecretStore;

  constructor(state: string, runtime: string) {
    this.layout = makeLayout(state, runtime);
    this.specs = new Records(this.layout.streams, SpecRecord, 0o640, {
      nameIn: ({ spec }) => spec.name,
      keepsUnknown: true,
    });
    this.memories = new Records(this.layout.memory, MemoryRecord, 0o640, {
      words: { write: withFirstWords, read: withExactWords },
    });
    this.secrets = new SecretStore(this.layout.keys);
  }

  /** All that is readable; what had to be set aside; what cannot be read, just now or by this release. */
  load(now: () => number): Loaded {
    const { daemonLock, keys: secrets, logs } = this.layout;
    for (const directory of [path.dirname(daemonLock), secrets, logs]) clearHalfWritten(directory);
    const specs = this.specs.readAll(now);
    const memories = this.memories.readAll(now);
    const keys = [...specs.records].flatMap(([name, { keys: revision }]) =>
      revision === null ? [] : (this.secrets.trouble(name, revision) ?? []),
    );
    const left = leftStreams(
      {
        specs: specs.records,
        unreadSpecs: specs.unread,
        newerSpecs: specs.newer,
        newerMemories: memories.newer,
        keys,
      },
      (name, revision) =>
        Number.isInteger(revision) ? this.secrets.read(name, Number(revision)) : null,
    );
    for (const name of left.keys()) specs.records.delete(name);
    // Of those that are left alone, a newer release may know keys.
    this.secrets.dropUnused(new Map([...specs.records].map(([name, one]) => [name, one.keys])));
    return {
      specs: specs.records,
      memories: memories.records,
      setAside: [...specs.setAside, ...memories.setAside],
      unread: memories.unread,
      lostKeys: keys.filter(({ is, name }) => is === "bad" && !left.has(name)),
      left,
    };
  }

  /** Before a stream is stopped to be forgotten. Errors: STORAGE_FAILED, where nothing can be removed. */
  mayForget(): void {
    try {
      accessSync(this.layout.streams, constants.W_OK);
    } catch (error) {
      throw storageFailure(this.layout.streams, error);
    }
  }

  /**
   * Forgets a stream: its specification first, and with that it is forgotten, whatever comes after. Files
   * that cannot be removed are answered with; the next start clears them away. Errors: STORAGE_FAILED,
   * and the stream is still there.
   */
  async forget(name: string): Promise<readonly string[]> {
    const places = placesOf(this.layout, name);
    await this.#forgetSpec(name);
    const left: string[] = [];
    const attempt = async (what: string, remove: () => Promise<void> | void): Promise<void> => {
      try {
        await remove();
      } catch {
        left.push(what);
      }
    };
    await attempt(`the keys of ${name}`, () => this.secrets.prune(name, null));
    await attempt(`the memory of ${name}`, () => this.memories.remove(name));
    for (const file of [places.log, `${places.log}.1`, places.run, places.lock])
      await attempt(file, () => rmSync(file, { recursive: true, force: true }));
    return left;
  }

  /**
   * What an earlier stream of that name has left, which may have been another user's and whose
   * specification may be damaged, is not a new one's. Errors: STORAGE_FAILED.
   */
  async forgetEarlier(name: string): Promise<void> {
    await this.memories.remove(name);
    const { log } = placesOf(this.layout, name);
    try {
      for (const file of [log, `${log}.1`]) rmSync(file, { force: true });
    } catch (error) {
      throw storageFailure(this.layout.logs, error);
    }
  }

  async #forgetSpec(name: string): Promise<void> {
    try {
      await this.specs.remove(name);
    } catch (error) {
      // Removed, and only not known to be so after a power failure: going back is not possible.
      if (existsSync(path.join(this.layout.streams, `${name}.json`))) throw error;
    }
  }

  /** Run directories that belong to no stream: left by a crash in the middle of a removal. */
  strayRuns(known: ReadonlySet<string>): string[] {
    if (!existsSync(this.layout.runs)) return [];
    return readdirSync(this.layout.runs)
      .filter((name) => isStreamName(name) && !known.has(name))
      .map((name) => path.join(this.layout.runs, name));
  }
}
