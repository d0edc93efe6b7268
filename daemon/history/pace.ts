import type { HistoryEntry } from "../../shared/contract/history.ts";

/** Changes of a stream that are kept one after another, and how long it takes to regain one of them. */
const BURST = 100;
const REGAIN_MS = 30_000;

/** What somebody has done, and what there is little of, is kept in any case. */
const ALWAYS: ReadonlySet<HistoryEntry["kind"]> = new Set([
  "added",
  "changed",
  "removed",
  "settings",
  "daemon-started",
  "daemon-stopped",
  "daemon-lost",
  "history-lost",
]);

type Standing = {
  left: number;
  at: number;
  /** The latest change that had no room: the next that has none takes its place. */
  held: HistoryEntry | null;
  skipped: number;
};

/**
 * Keeps a stream that flaps from writing without end, and from driving out its own past: of what comes too
 * fast, every so often one change is kept, with the number of those that were not. The last of them is
 * never lost. Times are on a clock that never jumps.
 */
export class Pace {
  readonly #standings = new Map<string, Standing>();

  /** The entry, to be kept now; null where it is held back. */
  admit(entry: HistoryEntry, now: number): HistoryEntry | null {
    const { stream, kind, by, to } = entry;
    if (stream === null || ALWAYS.has(kind)) return entry;
    const standing = this.#standingOf(stream, now);
    const isAsked = kind === "state" && (by !== null || to === "failed");
    if (standing.left < 1 && !isAsked) {
      if (standing.held !== null) standing.skipped += 1;
      standing.held = entry;
      return null;
    }
    standing.left = Math.max(0, standing.left - 1);
    if (standing.held !== null) standing.skipped += 1;
    standing.held = null;
    return withSkipped(entry, standing);
  }

  /** Entries that were held back and have their turn now; streams that have calmed down are forgotten. */
  release(now: number): HistoryEntry[] {
    return [...this.#standings].flatMap(([stream]) => {
      const standing = this.#standingOf(stream, now);
      if (standing.held === null) {
        if (standing.left >= BURST && standing.skipped === 0) this.#standings.delete(stream);
        return [];
      }
      if (standing.left < 1) return [];
      standing.left -= 1;
      return [take(standing, standing.held)];
    });
  }

  /** All that is held back, to be kept now. */
  releaseAll(): HistoryEntry[] {
    return [...this.#standings.values()].flatMap((standing) =>
      standing.held === null ? [] : [take(standing, standing.held)],
    );
  }

  /** What is held back, as it stands. */
  get held(): HistoryEntry[] {
    return [...this.#standings.values()].flatMap(({ held, skipped }) =>
      held === null ? [] : [{ ...held, skipped }],
    );
  }

  #standingOf(stream: string, now: number): Standing {
    const fresh = { left: BURST, at: now, held: null, skipped: 0 };
    const standing = this.#standings.get(stream) ?? fresh;
    standing.left = Math.min(BURST, standing.left + (now - standing.at) / REGAIN_MS);
    standing.at = now;
    this.#standings.set(stream, standing);
    return standing;
  }
}

const take = (standing: Standing, entry: HistoryEntry): HistoryEntry => {
  standing.held = null;
  return withSkipped(entry, standing);
};

const withSkipped = (entry: HistoryEntry, standing: Standing): HistoryEntry => {
  const { skipped } = standing;
  standing.skipped = 0;
  return skipped === 0 ? entry : { ...entry, skipped };
};
