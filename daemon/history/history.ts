import { StreamBroError } from "../../shared/errors.ts";
import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import type { Archive, Query } from "./archive.ts";
import { type Happening, entryOf } from "./happening.ts";
import { Pace } from "./pace.ts";
import { type Bounds, prune } from "./prune.ts";
import { Shelf } from "./shelf.ts";

/** How often is looked after what was held back, what is too much, and a disk that was full. */
const TEND_MS = 10_000;
/** How often it is noted that the daemon lives, for the next one, should this one be killed. */
const HEARTBEAT_MS = 60_000;
/** A clock that was set further than this is not believed: it would make everything old at once. */
const MOST_JUMP_MS = 86_400_000;
/** Notes beside the entries: which daemon has not said goodbye yet, and when it was last alive. */
export const RUNNING = "running";
export const ALIVE = "alive";

type Surroundings = {
  /** `history.db` in the state directory. */
  readonly file: string;
  readonly bounds: () => Bounds;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
};

/** What happened, in the order in which it did; told at once, and kept within bounds over restarts. */
export class History {
  /** Told of every entry, kept or not. */
  onEntry: (entry: HistoryEntry) => void = () => {};
  readonly #surroundings: Surroundings;
  readonly #shelf: Shelf;
  readonly #pace = new Pace();
  readonly #startedAt: { readonly wall: number; readonly monotonic: number };
  #isDue = false;
  #isClosed = false;
  #aliveAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(surroundings: Surroundings) {
    const { clock, monotonic } = surroundings;
    this.#surroundings = surroundings;
    this.#startedAt = { wall: clock.now(), monotonic: monotonic() };
    this.#shelf = new Shelf(surroundings);
    this.#tendLater();
  }

  /** The number of the latest entry. */
  get sequence(): number {
    return this.#shelf.lastId;
  }

  /** Sentences for the operator. */
  get warnings(): readonly string[] {
    return this.#shelf.warnings;
  }

  /** Never throws, and writes nothing before it returns. */
  record(happening: Happening): void {
    if (this.#isClosed) return;
    const { clock, monotonic } = this.#surroundings;
    const entry = entryOf(happening, this.#shelf.nextId(), clock.now());
    this.onEntry(entry);
    const kept = this.#pace.admit(entry, monotonic());
    if (kept === null) return;
    this.#shelf.put(kept);
    if (this.#isDue) return;
    this.#isDue = true;
    // All of one tick in one transaction.
    setImmediate(() => {
      this.#isDue = false;
      if (!this.#isClosed) this.#shelf.flush();
    });
  }

  /** A note beside the entries, as an earlier daemon left it. */
  noted(name: string): string | null {
    return this.#shelf.look((archive) => archive.noted(name)) ?? null;
  }

  note(name: string, value: string | null): void {
    this.#shelf.look((archive) => archive.note(name, value));
  }

  /** When the latest entry on disk was made, in Unix milliseconds; null where none can be read. */
  lastAt(): number | null {
    const latest = { names: null, since: null, until: null, limit: 1 };
    const entry = this.#shelf.look((archive) => archive.read(latest))?.entries[0];
    return entry === undefined ? null : Date.parse(entry.at);
  }

  /** Errors: OPERATION_FAILED where there is no history to be read. */
  read(query: Query): { entries: HistoryEntry[]; more: boolean } {
    this.#shelf.flush();
    const found = this.#shelf.look((archive) => archive.read(query), true);
    if (found === null) {
      const why = this.warnings[0] ?? "see the daemon's log";
      throw new StreamBroError("OPERATION_FAILED", `the history cannot be read just now: ${why}`);
    }
    const unwritten = this.#unwritten().filter((entry) => fits(entry, query));
    if (unwritten.length === 0) return found;
    const all = [...found.entries, ...unwritten].toSorted((one, other) => one.id - other.id);
    const more = found.more || all.length > query.limit;
    return { entries: all.slice(Math.max(0, all.length - query.limit)), more };
  }

  /** Whether anything is remembered of a stream: at all, or as this owner's. */
  knows(name: string, owner: string | null = null): boolean {
    const query = { names: [name], owner, since: null, until: null, limit: 1 };
    const find = (archive: Archive): boolean =>
      archive.rows.has(name) && (owner === null || archive.read(query).entries.length > 0);
    const has = this.#shelf.look(find, true) ?? false;
    return has || this.#unwritten().some((entry) => fits(entry, query));
  }

  /** Writes all there is, and records nothing after that. */
  close(): void {
    this.#cancel();
    for (const entry of this.#pace.releaseAll()) this.#shelf.put(entry);
    this.#isClosed = true;
    this.#shelf.close();
  }

  /** Held back, or waiting for a disk that has no room. */
  #unwritten(): HistoryEntry[] {
    return [...this.#shelf.waiting, ...this.#pace.held];
  }

  #tendLater(): void {
    this.#cancel = this.#surroundings.clock.after(TEND_MS, () => {
      this.#tend();
      this.#tendLater();
    });
  }

  #tend(): void {
    const { clock, monotonic, bounds } = this.#surroundings;
    const now = monotonic();
    for (const entry of this.#pace.release(now)) this.#shelf.put(entry);
    this.#shelf.flush();
    const jumped = clock.now() - this.#startedAt.wall - (now - this.#startedAt.monotonic);
    const wall = Math.abs(jumped) > MOST_JUMP_MS ? null : clock.now();
    this.#shelf.look((archive) => prune(archive, bounds(), wall));
    if (now - this.#aliveAt >= HEARTBEAT_MS) {
      this.#aliveAt = now;
      this.note(ALIVE, String(clock.now()));
    }
    this.#shelf.settle();
  }
}

const fits = (entry: HistoryEntry, query: Query): boolean => {
  const { names, owner = null, since, until, before, from } = query;
  const { id, stream, at } = entry;
  const when = Date.parse(at);
  const isNamed = names === null || (stream !== null && names.includes(stream));
  return (
    isNamed &&
    (owner === null || stream === null || entry.owner === owner) &&
    id < (before ?? Infinity) &&
    id >= (from ?? 0) &&
    when >= (since ?? -Infinity) &&
    when < (until ?? Infinity)
  );
};
