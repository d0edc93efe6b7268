import type { Clock } from "../../daemon/clock/clock.ts";

/** A clock that moves when it is told to; its wall clock can be set, which moves no timer. */
export class FakeClock implements Clock {
  /** Milliseconds of the timers' clock. */
  at = 1_000_000;
  /** What the wall clock is ahead of that. */
  aheadMs = 0;
  #timers: { due: number; callback: () => void }[] = [];

  now(): number {
    return this.at + this.aheadMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.at + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  pass(ms: number): void {
    const end = this.at + ms;
    for (;;) {
      const next = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.at = Math.max(this.at, next.due);
      this.#timers = this.#timers.filter((one) => one !== next);
      next.callback();
    }
    this.at = end;
  }

  get waiting(): number {
    return this.#timers.length;
  }
}
