import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { type Clock, after } from "./clock.ts";

/** What the machine's clocks say, in milliseconds. */
export type Sources = {
  /** Since the epoch; can be set, to any time. */
  readonly wall: () => number;
  /** Never jumps, and stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** Since boot: the same, and goes on while the machine sleeps. */
  readonly uptime: () => number;
};

/** A smaller difference is a clock that is being adjusted, or two looks that lay apart. */
const LEAST_STEP_MS = 1_000;

/**
 * The wall clock, which notices when it is set. Whoever keeps a time of it is told before anybody reads
 * the new one, so that no difference of two times has the step in it. Sleep is no step: it has passed.
 */
export class WallClock implements Clock {
  readonly after = after;
  readonly #sources: Sources;
  readonly #listeners: ((stepMs: number) => void)[] = [];
  #ahead: number;
  #sleptMs: number;

  constructor(sources: Sources = machine) {
    this.#sources = sources;
    this.#ahead = sources.wall() - sources.monotonic();
    this.#sleptMs = sources.uptime() - sources.monotonic();
  }

  now(): number {
    const { wall, monotonic, uptime } = this.#sources;
    const now = wall();
    const moved = now - monotonic() - this.#ahead;
    if (Math.abs(moved) < LEAST_STEP_MS) return now;
    const slept = uptime() - monotonic() - this.#sleptMs;
    this.#ahead += moved;
    this.#sleptMs += slept;
    const stepMs = moved - slept;
    if (Math.abs(stepMs) >= LEAST_STEP_MS)
      for (const listener of this.#listeners) listener(Math.round(stepMs));
    return now;
  }

  /** Called with by how much the clock was set forward; must not throw. */
  onStep(listener: (stepMs: number) => void): void {
    this.#listeners.push(listener);
  }
}

/** Milliseconds since boot, sleep included; where the kernel does not tell, without. */
export const uptimeMs = (): number => {
  try {
    return Number.parseFloat(readFileSync("/proc/uptime", "latin1")) * 1000;
  } catch {
    return performance.now();
  }
};

const machine: Sources = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: uptimeMs,
};
