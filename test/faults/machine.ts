import { spawn } from "node:child_process";
import { setTimeout as after } from "node:timers/promises";

const EVERY_MS = 500;
/** What the least program takes on a machine that has nothing else to do. */
const QUIET_MS = 15;
/** How far back is looked. */
const WINDOW_MS = 20_000;

/** How busy the machine is: how long its least program takes, again and again. */
export class Machine {
  readonly #over = new AbortController();
  readonly #seen: { readonly at: number; readonly ms: number }[] = [];
  readonly #running: Promise<void>;
  slowestMs = 0;

  constructor() {
    this.#running = this.#measure();
  }

  /**
   * By how much longer than on a quiet machine something may take that needs so many programs to start,
   * one after the other, in milliseconds.
   */
  allowance(programs: number): number {
    const from = performance.now() - WINDOW_MS;
    const recent = this.#seen.filter(({ at }) => at >= from).map(({ ms }) => ms);
    return programs * Math.max(0, Math.max(0, ...recent) - QUIET_MS);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #measure(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const began = performance.now();
      const child = spawn("true", { stdio: "ignore" });
      const { promise, resolve } = Promise.withResolvers<void>();
      child.once("close", () => resolve());
      child.once("error", () => resolve());
      await promise;
      const now = performance.now();
      this.slowestMs = Math.max(this.slowestMs, now - began);
      this.#seen.push({ at: now, ms: now - began });
      while ((this.#seen[0]?.at ?? now) < now - WINDOW_MS) this.#seen.shift();
      await after(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
}
