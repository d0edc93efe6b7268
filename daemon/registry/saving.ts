import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import { LatestWriter } from "../store/latest.ts";
import type { MemoryRecord, SpecRecord } from "../store/schemas.ts";
import type { Store } from "../store/store.ts";
import type { Stream } from "../supervisor/stream.ts";

/** How soon what could not be saved is tried again. */
const AGAIN_MS = 2_000;

type Surroundings = {
  readonly store: Pick<Store, "specs" | "memories">;
  readonly streams: ReadonlyMap<string, Stream>;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Writes what outlives the daemon. Streams go on when nothing can be saved: it is said once, shown for as
 * long as it lasts, and tried again until it works.
 */
export class Saving {
  readonly #around: Surroundings;
  readonly #memories: LatestWriter<MemoryRecord>;
  /** Streams whose memory is not on disk, with the reason. */
  readonly #failing = new Map<string, string>();
  /** Streams that were stopped, or have ended, which only this daemon knows. */
  readonly #unsaved = new Map<string, string>();
  #isDue = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#memories = new LatestWriter((name, memory) => this.#write(name, memory));
  }

  /**
   * `inForce`: it holds whether it can be saved or not, and is saved later where it cannot be now.
   * Errors: STORAGE_FAILED.
   */
  async saveSpec(name: string, record: SpecRecord, inForce: boolean): Promise<void> {
    try {
      await this.#around.store.specs.write(name, record);
      this.#unsaved.delete(name);
    } catch (error) {
      if (inForce) this.#later(this.#unsaved, name, error);
      throw error;
    }
  }

  /** Whether this memory, or a newer one, is safe. */
  remember(name: string, memory: MemoryRecord): Promise<boolean> {
    return this.#memories.put(name, memory);
  }

  /** Resolves when no memory of this stream is being written any more. */
  async settled(name: string): Promise<void> {
    await this.#memories.settled(name);
  }

  forget(name: string): void {
    this.#failing.delete(name);
    this.#unsaved.delete(name);
  }

  /** What is wrong with one stream, for the operator. */
  troubleOf(name: string): string | null {
    const why = this.#unsaved.get(name) ?? this.#failing.get(name);
    return why === undefined ? null : `not being saved: ${why}`;
  }

  /** What is wrong with saving, for the operator; null where it works as far as is known. */
  get warning(): string | null {
    const [why] = [...this.#unsaved.values(), ...this.#failing.values()];
    if (why === undefined) return null;
    const names = [...new Set([...this.#unsaved.keys(), ...this.#failing.keys()])].sort();
    const some = `${names.slice(0, 3).join(", ")}${names.length > 3 ? " and others" : ""}`;
    return `What happens to ${some} is not being saved: ${why} Streams go on; it is tried again every ${AGAIN_MS / 1_000} seconds.`;
  }

  async #write(name: string, memory: MemoryRecord): Promise<boolean> {
    const { store, streams, log } = this.#around;
    if (!streams.has(name)) return true;
    try {
      await store.memories.write(name, memory);
      if (this.#failing.delete(name))
        log.info({ event: "storage", stream: name }, `${name}: saving works again`);
      return true;
    } catch (error) {
      const isNews = !this.#failing.has(name);
      const why = this.#later(this.#failing, name, error);
      const sentence = `${name}: its position and state are not being saved: ${why}`;
      if (isNews) log.error({ event: "storage", stream: name }, sentence);
      return false;
    }
  }

  #later(which: Map<string, string>, name: string, error: unknown): string {
    const why = messageOf(error).replace(/^Nothing was changed: |, then try again/g, "");
    which.set(name, why);
    this.#tryLater();
    return why;
  }

  #tryLater(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#around.clock.after(AGAIN_MS, () => {
      this.#isDue = false;
      for (const name of this.#failing.keys()) {
        const stream = this.#around.streams.get(name);
        if (stream === undefined) this.#failing.delete(name);
        else void stream.supervisor.remember();
      }
      for (const name of this.#unsaved.keys()) {
        const stream = this.#around.streams.get(name);
        if (stream === undefined) this.#unsaved.delete(name);
        // In its turn, or it would overtake what a command is about to save.
        else void stream.inTurn(() => this.saveSpec(name, stream.record, true)).catch(() => {});
      }
    });
  }
}
