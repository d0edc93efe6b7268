/** Longer than this without a byte, and what comes next is another delivery. Films send every 40 ms. */
const BREAK_MS = 1_500;

export type GapWatch = { readonly longestMs: () => number };

/** When media of one stream arrived at its receiver, kept as it comes. Times are performance.now(). */
export class Arrivals {
  bytes = 0;
  /** The last byte of media, and the first one of the delivery that it belongs to. */
  lastAt: number = Number.NEGATIVE_INFINITY;
  since: number = Number.NEGATIVE_INFINITY;
  readonly #watches = new Set<{ fromMs: number; longestMs: number }>();

  /** `isFirst`: of a connection. */
  note(bytes: number, isFirst: boolean): void {
    const now = performance.now();
    for (const watch of this.#watches)
      watch.longestMs = Math.max(watch.longestMs, now - Math.max(watch.fromMs, this.lastAt));
    if (isFirst || now - this.lastAt > BREAK_MS) this.since = now;
    this.bytes += bytes;
    this.lastAt = now;
  }

  /** The delivery has lasted for at least so long. */
  lasts(ms: number, now: number = performance.now()): boolean {
    return now - this.lastAt < BREAK_MS && now - this.since >= ms;
  }

  /** Watches for the longest time without a byte from now on; `end` lets go of it. */
  watch(): GapWatch & { end(): void } {
    const watch = { fromMs: performance.now(), longestMs: 0 };
    this.#watches.add(watch);
    return {
      longestMs: () => {
        const open = performance.now() - Math.max(watch.fromMs, this.lastAt);
        return Math.max(watch.longestMs, open);
      },
      end: () => void this.#watches.delete(watch),
    };
  }
}
