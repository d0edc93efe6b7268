import type { Clock } from "../clock/clock.ts";

/** The wall clock may be set meanwhile: it is looked at again after this at the latest. */
const LOOK_AGAIN_MS = 15_000;

/** What is to happen to streams at a time of the wall clock; one entry a stream. */
export class Schedule {
  readonly #clock: Clock;
  readonly #onDue: (stream: string) => void;
  readonly #entries = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(clock: Clock, onDue: (stream: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** `at` in milliseconds since the epoch; one that has passed is due at once, null is never. */
  set(stream: string, at: number | null): void {
    if (at === null) this.#entries.delete(stream);
    else this.#entries.set(stream, at);
    this.#wind();
  }

  /** Nothing happens by itself any more; what is durable stays as it is, for the next daemon. */
  clearAll(): number {
    const { size } = this.#entries;
    this.#entries.clear();
    this.#wind();
    return size;
  }

  /** The wall clock was set: what is due by it is due now. */
  clockSet(): void {
    this.#wind();
  }

  #wind(): void {
    this.#cancel();
    this.#cancel = () => {};
    if (this.#entries.size === 0) return;
    // First: where the clock has been set, it changes the entries.
    const now = this.#clock.now();
    const next = Math.min(...this.#entries.values()) - now;
    const wait = Math.min(Math.max(0, next), LOOK_AGAIN_MS);
    this.#cancel = this.#clock.after(wait, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const due = [...this.#entries].filter(([, at]) => at <= now).map(([stream]) => stream);
    for (const stream of due) this.#entries.delete(stream);
    this.#wind();
    for (const stream of due) this.#onDue(stream);
  }
}
