import { START_MS } from "./bounds.ts";

type Expectation =
  | { readonly is: "inflicted"; readonly floorMs: number }
  | { readonly is: "recovering"; readonly liftedAt: number; readonly boundMs: number };

/** Since when the daemon has been doing its work, and whether it can. */
export class DaemonTimes {
  #away = 0;
  #backAt: number = performance.now();

  /** It cannot do its work from now on; call what comes back when it can again. */
  away(): () => void {
    this.#away += 1;
    let called = false;
    return () => {
      if (called) return;
      called = true;
      this.#away -= 1;
      this.#backAt = performance.now();
    };
  }

  get isAway(): boolean {
    return this.#away > 0;
  }

  get backAt(): number {
    return this.#backAt;
  }
}

/** What may be expected of each stream at this moment. Times are performance.now(). */
export class Expectations {
  readonly #by = new Map<string, Expectation>();
  readonly #daemon: DaemonTimes;
  #floorMs = 0;

  constructor(daemon: DaemonTimes) {
    this.#daemon = daemon;
  }

  inflict(name: string): void {
    this.#by.set(name, { is: "inflicted", floorMs: this.#floorMs });
  }

  lift(name: string, boundMs: number): void {
    const before = this.#by.get(name);
    const floorMs = Math.max(this.#floorMs, before?.is === "inflicted" ? before.floorMs : 0);
    const liftedAt = performance.now();
    this.#by.set(name, { is: "recovering", liftedAt, boundMs: Math.max(boundMs, floorMs) });
  }

  /** From now on, until told again, no bound is less: what is inflicted concerns the others too. */
  permitAll(floorMs: number): void {
    this.#floorMs = floorMs;
    for (const [name, one] of this.#by)
      if (one.is === "inflicted")
        this.#by.set(name, { ...one, floorMs: Math.max(one.floorMs, floorMs) });
      else this.#by.set(name, { ...one, boundMs: Math.max(one.boundMs, floorMs) });
  }

  recovered(name: string): void {
    this.#by.delete(name);
  }

  /** Nothing was done to it, so nothing may be seen. */
  isUndisturbed(name: string): boolean {
    return !this.#by.has(name);
  }

  /** By how much a stream that is not on the air is late; null where it is not. A daemon that was away begins anew. `busyMs` is added for a busy machine. */
  lateBy(
    name: string,
    now: number,
    busyMs: number,
  ): { readonly lateMs: number; readonly boundMs: number } | null {
    const expected = this.#by.get(name);
    if (expected?.is !== "recovering" || this.#daemon.isAway) return null;
    const { liftedAt, boundMs } = expected;
    const due =
      busyMs + Math.max(liftedAt + boundMs, this.#daemon.backAt + Math.max(boundMs, START_MS));
    return now > due ? { lateMs: now - due, boundMs } : null;
  }
}
