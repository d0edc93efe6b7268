import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import type { Archive } from "./archive.ts";
import { entryOf } from "./happening.ts";
import { identityOf, isCorrupt, openArchive, putBack, setAside } from "./open-archive.ts";
import { type Bounds, STEP, prune } from "./prune.ts";

/** How long a disk that cannot be written to is left alone. */
const RETRY_MS = 5_000;
/** Entries that wait for the disk; the oldest of more are lost. */
const MOST_WAITING = 1_000;

type Surroundings = {
  readonly file: string;
  readonly bounds: () => Bounds;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
};

/**
 * Where entries lie until they are on disk. Nothing here throws: a disk that is full, slow or broken
 * costs the history entries, which are counted, and nothing else.
 */
export class Shelf {
  lastId = 0;
  readonly #surroundings: Surroundings;
  #archive: Archive | null = null;
  /** Which file it is. */
  #identity: string | null = null;
  #waiting: HistoryEntry[] = [];
  #lost = 0;
  /** What is wrong with the disk just now; it is said once. */
  #trouble: string | null = null;
  #retryAt = Number.NEGATIVE_INFINITY;
  /** Of a file that was set aside, or left alone: for as long as this daemon lives. */
  #standing: string | null = null;
  #isOff = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#reach(true);
  }

  get warnings(): readonly string[] {
    return [this.#trouble, this.#standing].filter((warning) => warning !== null);
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  /** What is not on disk yet. */
  get waiting(): readonly HistoryEntry[] {
    return this.#waiting;
  }

  put(entry: HistoryEntry): void {
    if (this.#isOff) return;
    this.#waiting.push(entry);
    if (this.#waiting.length <= MOST_WAITING) return;
    if (this.#trouble === null) this.flush();
    if (this.#waiting.length <= MOST_WAITING) return;
    this.#waiting.shift();
    this.#lost += 1;
  }

  /** Writes what waits, in one transaction. */
  flush(): void {
    const entries = this.#waiting.length;
    if (entries === 0 && this.#trouble === null) return;
    const isWritten = this.look((archive) => {
      const lost = this.#lossEntry();
      archive.write(lost === null ? this.#waiting : [...this.#waiting, lost]);
      return true;
    });
    if (isWritten === null) return;
    this.#waiting = [];
    this.#recovered();
    // However many come at once, what is too much goes as fast.
    this.look((archive) => {
      for (let left = entries; left > 0; left -= STEP)
        if (prune(archive, this.#surroundings.bounds(), null) === 0) return;
    });
  }

  /** Does something with the archive; null where that cannot be done, `now` or just now. */
  look<T>(work: (archive: Archive) => T, now = false): T | null {
    const archive = this.#reach(now);
    if (archive === null) return null;
    try {
      return work(archive);
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  /** What a power failure must not take any more goes to the disk; where there is no room, later. */
  settle(): void {
    try {
      this.#stayInPlace();
      this.#archive?.checkpoint();
    } catch (error) {
      if (isCorrupt(error)) this.#failed(error);
    }
  }

  close(): void {
    this.flush();
    const left = this.#waiting.length + this.#lost;
    const { log } = this.#surroundings;
    if (left > 0 && !this.#isOff)
      log.warn({ event: "history", lost: left }, `history: ${left} entries were never written`);
    this.#release();
    this.#isOff = true;
  }

  /** What is written to a file that was removed or replaced under this daemon would end with it. */
  #stayInPlace(): void {
    const { file, log } = this.#surroundings;
    const there = identityOf(file);
    if (this.#archive === null || there === this.#identity) return;
    if (there === null) putBack(this.#archive, file);
    this.#release();
    this.#reach(true);
    const what =
      there === null ? "removed and was put back" : "replaced; the new one is gone on with";
    log.warn({ event: "history" }, `${file} was ${what}: stop streambrod before you do that`);
  }

  #reach(now: boolean): Archive | null {
    const { monotonic } = this.#surroundings;
    if (this.#isOff || (!now && monotonic() < this.#retryAt)) return null;
    this.#archive ??= this.#open();
    return this.#archive;
  }

  #open(): Archive | null {
    const { file, log } = this.#surroundings;
    const opened = openArchive(file);
    switch (opened.is) {
      case "open":
        return this.#takeUp(opened.archive);
      case "newer":
        this.#isOff = true;
        this.#waiting = [];
        this.#standing = `${file} was written by a later release (version ${opened.version}): it is left as it is, and nothing that happens is remembered.`;
        log.warn({ event: "start-up" }, this.#standing);
        return null;
      case "corrupt":
        return this.#replace(opened.why);
      case "failed":
        this.#failed(opened.error);
        return null;
      default:
        return opened satisfies never;
    }
  }

  #takeUp(archive: Archive): Archive {
    // Numbers that were given while the file could not be opened come after those in it.
    const first = this.#waiting[0]?.id ?? this.lastId + 1;
    const by = Math.max(0, archive.lastId + 1 - first);
    this.#waiting = this.#waiting.map((entry) => ({ ...entry, id: entry.id + by }));
    this.lastId += by;
    this.#identity = identityOf(this.#surroundings.file);
    return archive;
  }

  /** A new file takes the place of one that is bad. */
  #replace(why: string): Archive | null {
    const { file, clock, log } = this.#surroundings;
    this.#release();
    const movedTo = setAside(file, clock.now());
    if (movedTo === null) {
      this.#failed(new Error(`${why}, and it cannot be moved out of the way`));
      return null;
    }
    this.#standing = `${file} could not be read (${why}); it was set aside as ${movedTo.slice(movedTo.lastIndexOf("/") + 1)}. The history begins anew.`;
    log.warn({ event: "history" }, this.#standing);
    const opened = openArchive(file);
    if (opened.is === "open") return this.#takeUp(opened.archive);
    this.#failed(opened.is === "failed" ? opened.error : new Error(`a new ${file} is bad too`));
    return null;
  }

  #failed(error: unknown): void {
    const { file, log, monotonic } = this.#surroundings;
    if (isCorrupt(error)) {
      this.#archive = this.#replace(messageOf(error));
      return;
    }
    this.#retryAt = monotonic() + RETRY_MS;
    // After an error of the disk it is not known what the connection holds.
    this.#release();
    if (this.#trouble !== null) return;
    this.#trouble = `history: what happens is not being written to ${file}: ${messageOf(error)}. The streams go on; the last ${MOST_WAITING} entries are kept until there is room.`;
    log.error({ event: "history", error }, this.#trouble);
  }

  #recovered(): void {
    if (this.#trouble === null) return;
    const { log } = this.#surroundings;
    const lost = this.#lost;
    this.#trouble = null;
    this.#lost = 0;
    log.info({ event: "history", lost }, `history: it is written again; ${lost} entries were lost`);
  }

  #lossEntry(): HistoryEntry | null {
    if (this.#lost === 0) return null;
    const message = `${this.#lost} entries could not be written and are lost`;
    const details = { lost: this.#lost };
    const happening = { stream: null, kind: "history-lost", message, details } as const;
    return entryOf(happening, this.nextId(), this.#surroundings.clock.now());
  }

  #release(): void {
    try {
      this.#archive?.close();
    } catch {
      // What could not be written stays unwritten.
    }
    this.#archive = null;
  }
}
