import type { Clock } from "../clock/clock.ts";
import { type Measure, forget, measurer } from "./measure.ts";
import { AT_EASE, type Standing, type Verdict, judge } from "./thresholds.ts";

/** What one process uses: CPU in percent of one core, memory in bytes. */
export type ResourceUsage = {
  readonly streamId: string;
  readonly processId: number;
  readonly cpu: number;
  /** Resident, as pidusage has it: shared libraries included. */
  readonly memory: number;
  /** Shared libraries counted in parts; null where the kernel does not say. */
  readonly pss: number | null;
  readonly lastCheck: Date;
  /** Thresholds crossed since the process was first seen. */
  readonly warnings: number;
};

export type Finding = { readonly verdict: Verdict; readonly usage: ResourceUsage };

type Options = {
  readonly clock: Clock;
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number;
  readonly intervalMs: () => number;
  /** Switched off, it measures nothing and knows nothing. */
  readonly enabled: () => boolean;
  readonly breachMs: () => number;
  readonly measure?: Measure;
};

/** pidusage must remember a process from one look to the next, or every look would be the first. */
const LEAST_KEEP_MS = 60_000;

type Watched = {
  readonly pid: number;
  usage: ResourceUsage | null;
  standing: Standing;
};

/** Measures the processes of streams, all of them in one sweep, and tells when thresholds are crossed. */
export class ResourceMonitor {
  /** Called for each crossing, in the sweep that found it. */
  onFinding: (finding: Finding) => void = () => {};
  readonly #watched = new Map<string, Watched>();
  readonly #cpuThreshold: () => number;
  readonly #memoryThreshold: () => number;
  readonly #options: Options;
  readonly #measure: Measure;
  #cancel: () => void = () => {};
  #stopped = false;
  #isSweeping = false;

  /** Thresholds in percent of one core and in MiB. All settings are read anew at each sweep. */
  constructor(cpuThreshold: () => number, memoryThreshold: () => number, options: Options) {
    this.#cpuThreshold = cpuThreshold;
    this.#memoryThreshold = memoryThreshold;
    this.#options = options;
    this.#measure = options.measure ?? measurer();
  }

  /** Begins to sweep; `stop` ends it. */
  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(this.#options.intervalMs(), () => {
      void this.sweep().finally(() => this.start());
    });
  }

  /** The interval may be another one now: counts from here. */
  rewind(): void {
    this.#cancel();
    if (!this.#isSweeping) this.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    for (const stream of [...this.#watched.keys()]) this.stopMonitoring(stream);
  }

  startMonitoring(streamId: string, processId: number): void {
    if (this.#watched.get(streamId)?.pid === processId) return;
    this.stopMonitoring(streamId);
    this.#watched.set(streamId, { pid: processId, usage: null, standing: AT_EASE });
  }

  stopMonitoring(streamId: string): void {
    const watched = this.#watched.get(streamId);
    if (watched === undefined) return;
    this.#watched.delete(streamId);
    // A descriptor that is being read must not be closed: the sweep sees to it at its end.
    if (!this.#isSweeping) forget(watched.pid);
  }

  /** Null until the first sweep after the start, and where the monitor is switched off. */
  getUsage(streamId: string): ResourceUsage | null {
    return this.#options.enabled() ? (this.#watched.get(streamId)?.usage ?? null) : null;
  }

  getAllUsage(): Map<string, ResourceUsage> {
    if (!this.#options.enabled()) return new Map();
    return new Map(
      [...this.#watched].flatMap(([name, { usage }]) => (usage === null ? [] : [[name, usage]])),
    );
  }

  /** One look at every process. */
  async sweep(): Promise<void> {
    if (!this.#options.enabled()) return this.#forgetAll();
    const asked = new Set([...this.#watched.values()].map(({ pid }) => pid));
    if (asked.size === 0) return;
    const keepMs = Math.max(LEAST_KEEP_MS, 2 * this.#options.intervalMs());
    this.#isSweeping = true;
    // Where nothing can be measured, without descriptors say, the next sweep is another.
    const nothing = (): Awaited<ReturnType<Measure>> => new Map();
    const found = await this.#measure([...asked], keepMs)
      .catch(nothing)
      .finally(() => {
        this.#isSweeping = false;
      });
    const lastCheck = new Date(this.#options.clock.now());
    const findings: Finding[] = [];
    const gone = new Set(asked);
    for (const [streamId, watched] of this.#watched) {
      // One that was begun meanwhile has its turn in the next sweep.
      if (!asked.has(watched.pid)) continue;
      gone.delete(watched.pid);
      const measured = found.get(watched.pid);
      if (measured === undefined) watched.usage = null;
      else {
        const { pid: processId } = watched;
        const verdicts = this.#judge(watched, measured);
        const { warnings } = watched.standing;
        const usage = { streamId, processId, ...measured, lastCheck, warnings };
        watched.usage = usage;
        findings.push(...verdicts.map((verdict) => ({ verdict, usage })));
      }
    }
    // What ended while it was measured.
    for (const pid of gone) forget(pid);
    for (const finding of findings) this.onFinding(finding);
  }

  /** The first look at a process is over its whole life, the start included, and is no verdict. */
  #judge(watched: Watched, measured: { cpu: number; memory: number }): readonly Verdict[] {
    if (watched.usage === null) return [];
    const thresholds = {
      cpuPercent: this.#cpuThreshold(),
      memoryMb: this.#memoryThreshold(),
      breachMs: this.#options.breachMs(),
    };
    const at = this.#options.monotonic();
    const { standing, verdicts } = judge(watched.standing, measured, thresholds, at);
    watched.standing = standing;
    return verdicts;
  }

  #forgetAll(): void {
    for (const watched of this.#watched.values()) {
      if (watched.usage !== null) forget(watched.pid);
      watched.usage = null;
      watched.standing = { ...AT_EASE, warnings: watched.standing.warnings };
    }
  }
}
