import type { Archive } from "./archive.ts";

/** How much is kept. */
export type Bounds = {
  readonly keepMs: number;
  readonly rows: number;
  readonly rowsPerStream: number;
};

/** Rows that one step removes; it takes a millisecond. */
export const STEP = 200;

/**
 * One small step towards the bounds; how many rows it removed. What is too much in all is taken from
 * whoever has the most, so that nobody drives out the past of another. `now` null: by number only.
 */
export const prune = (archive: Archive, bounds: Bounds, now: number | null): number => {
  const old = now === null ? 0 : archive.pruneOlder(now - bounds.keepMs, STEP);
  if (old > 0) return old;
  let total = 0;
  let [largest, most] = ["", 0];
  for (const [stream, rows] of archive.rows) {
    total += rows;
    if (rows > most) [largest, most] = [stream, rows];
  }
  const excess = Math.max(most - bounds.rowsPerStream, total - bounds.rows);
  return excess <= 0 ? 0 : archive.pruneStream(largest, Math.min(excess, STEP));
};
