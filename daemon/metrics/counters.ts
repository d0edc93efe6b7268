import { Counter, type Registry } from "./prometheus.ts";
import type { BreachAction } from "../../shared/contract/spec.ts";
import type { Tracks } from "../../shared/contract/status.ts";
import type { FailureReason } from "../../shared/states.ts";
import { COUNTERS, type CounterKey } from "./definitions.ts";
import type { Metrics } from "./metrics.ts";
import type { CounterRow } from "./schema.ts";

/** Owners that are told apart; further ones are counted together. */
const MOST_OWNERS = 1_000;
export const OTHERS = "(others)";

const KEYS = Object.keys(COUNTERS) as CounterKey[];

type Labels = Readonly<Record<string, string>>;

/** Counters of a registry of prom-client's. */
export class Counters implements Metrics {
  /** Called after each count; `isTime` where only time went by. */
  onCount: (isTime: boolean) => void = () => {};
  readonly #counters: Readonly<Record<CounterKey, Counter>>;
  readonly #owners = new Set<string>();

  constructor(registry: Registry) {
    const made = KEYS.map((key): [CounterKey, Counter] => {
      const { name, help, labels } = COUNTERS[key];
      return [key, new Counter({ name, help, labelNames: labels, registers: [registry] })];
    });
    this.#counters = Object.fromEntries(made) as Record<CounterKey, Counter>;
    for (const result of ["success", "failure"]) this.#counters.cleanups.inc({ result }, 0);
  }

  streamStarted(owner: string, tracks: Tracks | null): void {
    this.#count("starts", { owner });
    this.#count("encoderStarts", encoderOf(tracks));
  }

  streamOnAir(owner: string): void {
    this.#count("onAir", { owner });
  }

  streamStopped(owner: string): void {
    this.#count("stops", { owner });
  }

  streamFailed(owner: string, reason: FailureReason): void {
    this.#count("failures", { owner, reason });
  }

  streamRestarted(owner: string): void {
    this.#count("restarts", { owner });
  }

  forceKilled(owner: string): void {
    this.#count("forceKills", { owner });
  }

  cleanedUp(result: "success" | "failure", freedBytes: number): void {
    this.#count("cleanups", { result });
    this.#count("freedBytes", {}, freedBytes);
  }

  limitRefused(owner: string, scope: "user" | "global"): void {
    this.#count("limitRefusals", { owner, scope });
  }

  resourcesWarned(owner: string): void {
    this.#count("resourceWarnings", { owner });
  }

  resourcesBreached(owner: string, action: BreachAction): void {
    this.#count("resourceBreaches", { owner, action });
  }

  timePassed(owner: string, seconds: number, delivering: boolean): void {
    this.#add("desiredSeconds", { owner }, seconds);
    this.#add("deliveringSeconds", { owner }, delivering ? seconds : 0);
    this.onCount(true);
  }

  /** Makes the counters of an owner that count by owner alone: a rate needs a zero to begin at. */
  know(owner: string): void {
    for (const key of KEYS)
      if (COUNTERS[key].labels.join() === "owner") this.#add(key, { owner }, 0);
  }

  /** Every value there is. */
  async rows(): Promise<CounterRow[]> {
    const found = await Promise.all(Object.values(this.#counters).map((one) => one.get()));
    return found.flatMap(({ name, values }) =>
      values.map(({ labels, value }) => ({ name, labels: labels as CounterRow["labels"], value })),
    );
  }

  /** Goes on from what an earlier daemon counted; answers with what this one does not count. */
  restore(rows: readonly CounterRow[]): CounterRow[] {
    return rows.filter(({ name, labels, value }) => {
      const key = KEYS.find((one) => COUNTERS[one].name === name);
      const known = key === undefined ? null : COUNTERS[key].labels.toSorted().join();
      if (key === undefined || Object.keys(labels).toSorted().join() !== known) return true;
      this.#add(key, labels, value);
      return false;
    });
  }

  #count(key: CounterKey, labels: Labels, by = 1): void {
    this.#add(key, labels, by);
    this.onCount(false);
  }

  #add(key: CounterKey, labels: Labels, by: number): void {
    const { owner } = labels;
    const bounded = owner === undefined ? labels : { ...labels, owner: this.#bounded(owner) };
    this.#counters[key].inc(bounded, by);
  }

  #bounded(owner: string): string {
    if (this.#owners.size >= MOST_OWNERS && !this.#owners.has(owner)) return OTHERS;
    this.#owners.add(owner);
    return owner;
  }
}

const encoderOf = (tracks: Tracks | null): { encoder: string; kind: string } => {
  const encoder = tracks?.video.encoder ?? null;
  if (encoder === null) return { encoder: "copy", kind: "copy" };
  return { encoder, kind: HARDWARE.test(encoder) ? "hardware" : "software" };
};

/** FFmpeg names an encoder for what it runs on. */
const HARDWARE = /_(nvenc|qsv|videotoolbox|vaapi|amf|v4l2m2m|omx|mf|vulkan|rkmpp)$/;
