import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { type Layout, makeLayout, placesOf } from "./layout.ts";
import { Records, type SetAside } from "./records.ts";
import { MemoryRecord, SpecRecord } from "./schemas.ts";
import { SecretStore } from "./secrets.ts";

/** Everything one daemon keeps on disk. */
export class Store {
  readonly layout: Layout;
  readonly specs: Records<typeof SpecRecord>;
  readonly memories: Records<typeof MemoryRecord>;
  readonly secrets: SecretStore;

  constructor(state: string, runtime: string) {
    this.layout = makeLayout(state, runtime);
    this.specs = new Records(this.layout.streams, SpecRecord, 0o640, ({ spec }) => spec.name);
    this.memories = new Records(this.layout.memory, MemoryRecord, 0o640);
    this.secrets = new SecretStore(this.layout.keys);
  }

  /** All that is readable, and what had to be set aside. */
  load(now: () => number): {
    specs: Map<string, SpecRecord>;
    memories: Map<string, MemoryRecord>;
    setAside: SetAside[];
  } {
    const specs = this.specs.readAll(now);
    const memories = this.memories.readAll(now);
    return {
      specs: specs.records,
      memories: memories.records,
      setAside: [...specs.setAside, ...memories.setAside],
    };
  }

  /** Forgets a stream: its specification first, so that a crash leaves nothing that would start. */
  async forget(name: string): Promise<void> {
    const places = placesOf(this.layout, name);
    await this.specs.remove(name);
    await this.secrets.prune(name, null);
    await this.memories.remove(name);
    for (const file of [places.log, `${places.log}.1`, places.lock]) rmSync(file, { force: true });
    rmSync(places.run, { recursive: true, force: true });
  }

  /** Run directories that belong to no stream: left by a crash in the middle of a removal. */
  strayRuns(known: ReadonlySet<string>): string[] {
    if (!existsSync(this.layout.runs)) return [];
    return readdirSync(this.layout.runs)
      .filter((name) => !known.has(name))
      .map((name) => path.join(this.layout.runs, name));
  }
}
