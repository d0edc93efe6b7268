import { close } from "node:fs";
import pidusage from "pidusage";
import { get as historyOf } from "pidusage/lib/history.js";
import type { Clock } from "../clock/clock.ts";

/** CPU in percent of one core since the look before, resident memory in bytes. */
export type Usage = { readonly cpu: number; readonly memory: number; readonly lastCheck: Date };

/** pidusage forgets a process, and closes its descriptor, this long after the last question. */
const HISTORY_MS = 60_000;

/** Measures the processes of streams, all of them in one sweep. */
export class ResourceMonitor {
  readonly #pids = new Map<string, number>();
  readonly #usage = new Map<string, Usage>();
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #cancel: () => void = () => {};

  constructor(intervalMs: number, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Begins to sweep; `stop` ends it. */
  start(): void {
    this.#cancel = this.#clock.after(this.#intervalMs, () => {
      void this.sweep().finally(() => this.start());
    });
  }

  stop(): void {
    this.#cancel();
    for (const stream of [...this.#pids.keys()]) this.stopMonitoring(stream);
  }

  startMonitoring(streamId: string, processId: number): void {
    if (this.#pids.get(streamId) === processId) return;
    this.stopMonitoring(streamId);
    this.#pids.set(streamId, processId);
  }

  stopMonitoring(streamId: string): void {
    const pid = this.#pids.get(streamId);
    if (pid === undefined) return;
    this.#pids.delete(streamId);
    this.#usage.delete(streamId);
    forget(pid);
  }

  /** Null until the first sweep after the start. */
  getUsage(streamId: string): Usage | null {
    return this.#usage.get(streamId) ?? null;
  }

  getAllUsage(): Map<string, Usage> {
    return new Map(this.#usage);
  }

  /** One look at every process. A dead one has no answer and spoils nobody else's. */
  async sweep(): Promise<void> {
    const pids = [...new Set(this.#pids.values())];
    if (pids.length === 0) return;
    const found = await measure(pids);
    const lastCheck = new Date(this.#clock.now());
    for (const [stream, pid] of this.#pids) {
      const one = found[pid];
      if (one === undefined || one === null) this.#usage.delete(stream);
      else this.#usage.set(stream, { cpu: one.cpu, memory: one.memory, lastCheck });
    }
  }
}

type Found = Readonly<Record<number, { cpu: number; memory: number } | null>>;

const measure = async (pids: readonly number[]): Promise<Found> => {
  try {
    // The library changes the array that it is given.
    return await pidusage([...pids], { maxage: HISTORY_MS });
  } catch {
    // The only process there was has just ended.
    return {};
  }
};

/**
 * Closes and empties what pidusage keeps of a process. Left alone, it would hold the descriptor for a
 * minute, and a later process with the same pid could not be measured as long as it is asked for.
 */
const forget = (pid: number): void => {
  const entry = historyOf(pid, HISTORY_MS);
  if (entry === undefined) return;
  if (entry.fd !== undefined) close(entry.fd, () => {});
  for (const key of Object.keys(entry)) Reflect.deleteProperty(entry, key);
};
