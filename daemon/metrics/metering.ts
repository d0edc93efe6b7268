import { Registry as PromRegistry } from "./prometheus.ts";
import type { Metric } from "../../shared/contract/daemon.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { Clock } from "../clock/clock.ts";
import type { LimitValues } from "../limits/stream-limiter.ts";
import type { Log } from "../log/log.ts";
import type { Registry } from "../registry/registry.ts";
import { statusesOf } from "../registry/statuses.ts";
import { Counters } from "./counters.ts";
import { addGauges } from "./gauges.ts";
import { Keeper, readKept } from "./keeper.ts";
import type { Metrics } from "./metrics.ts";
import { MetricsServer } from "./serve.ts";
import { tally } from "./tally.ts";

const TICK_MS = 5_000;
/** Rows of other releases that are carried along. */
const MOST_OTHERS = 10_000;

type Surroundings = {
  readonly registry: Registry;
  /** `metrics.json` in the state directory. */
  readonly file: string;
  readonly version: string;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
  readonly limits: () => LimitValues;
  /** HOST:PORT, or empty; as it is now. */
  readonly listen: () => string;
};

/** Everything that is measured: counters that outlive the daemon, gauges, and who may read them. */
export class Metering {
  readonly #prom = new PromRegistry();
  readonly #counters: Counters;
  readonly #keeper: Keeper;
  readonly #server: MetricsServer;
  readonly #surroundings: Surroundings;
  readonly #warning: string | null;
  readonly #isUnread: boolean;
  /** As they were when somebody last looked; asking each of them for each gauge would take its time. */
  #streams: readonly StreamStatus[] = [];
  #countedAt: number;
  #startedAt: number;
  #cancel: () => void = () => {};

  /** Takes up what an earlier daemon counted, and counts from now on what happens. */
  constructor(surroundings: Surroundings) {
    const { registry, file, version, clock, monotonic, log, limits } = surroundings;
    this.#surroundings = surroundings;
    this.#startedAt = clock.now();
    this.#counters = new Counters(this.#prom);
    const kept = readKept(file, clock.now());
    // What another release counts is carried along, so that it goes on from there.
    const others = this.#counters.restore(kept.counters).slice(0, MOST_OTHERS);
    this.#warning = kept.warning;
    this.#isUnread = kept.isUnread;
    if (kept.warning !== null) log.warn({ event: "start-up" }, kept.warning);
    const rows = async (): ReturnType<Counters["rows"]> => [
      ...(await this.#counters.rows()),
      ...others,
    ];
    this.#keeper = new Keeper({ file, rows, clock, monotonic, log });
    if (!kept.isUnread) this.#counters.onCount = (isTime) => this.#keeper.touch(isTime);
    addGauges(this.#prom, {
      ...{ version, limits },
      startedAt: () => this.#startedAt,
      streams: () => this.#streams,
    });
    registry.onTransition = (stream, from, event, to) => {
      const { owner } = stream.spec;
      tally(this.#counters, { owner, tracks: () => stream.status().tracks }, from, event, to);
    };
    registry.onRefusal = ({ user, scope }) => this.#counters.limitRefused(user, scope);
    this.#countedAt = monotonic();
    const page = { contentType: this.#prom.contentType, text: () => this.text() };
    this.#server = new MetricsServer({ page, log, monotonic });
  }

  /** Begins to count time, and to serve; `close` ends it. */
  start(): void {
    this.#countedAt = this.#surroundings.monotonic();
    this.#tick();
  }

  /** The wall clock was set forward by so much: the daemon has not become older by that. */
  shift(stepMs: number): void {
    this.#startedAt += stepMs;
  }

  /** Where others count what only they see. */
  get counts(): Metrics {
    return this.#counters;
  }

  /** Sentences for the operator, as they are now. */
  get warnings(): string[] {
    const { warning } = this.#keeper;
    return [this.#warning, warning, this.#server.warning].filter((one) => one !== null);
  }

  /** As Prometheus reads it. */
  async text(): Promise<string> {
    this.#look();
    const text = await this.#prom.metrics();
    if (!this.#isUnread) await this.#keeper.settle();
    return text;
  }

  /** One look, as data and as text. */
  async both(): Promise<{ metrics: Metric[]; text: string }> {
    const text = await this.text();
    const found = await this.#prom.getMetricsAsJSON();
    const metrics = found.flatMap(({ name, help, type, values }) =>
      values.map(({ labels, value }): Metric => ({
        ...{ name, help, value, labels: labels as Metric["labels"] },
        type: String(type) === "counter" ? "counter" : "gauge",
      })),
    );
    return { metrics, text };
  }

  /** Saves a last time, and serves nobody any more. */
  async close(): Promise<void> {
    this.#cancel();
    this.#countTime();
    this.#server.close();
    if (!this.#isUnread) await this.#keeper.close();
  }

  #look(): void {
    this.#streams = statusesOf(this.#surroundings.registry);
    for (const { owner } of this.#streams) this.#counters.know(owner);
    this.#countTime();
  }

  #tick(): void {
    this.#countTime();
    this.#server.follow(this.#surroundings.listen());
    this.#cancel = this.#surroundings.clock.after(TICK_MS, () => this.#tick());
  }

  /** What went by since the last time counts for the state in which a stream is found now. */
  #countTime(): void {
    const { registry, monotonic } = this.#surroundings;
    const now = monotonic();
    const seconds = (now - this.#countedAt) / 1000;
    this.#countedAt = now;
    for (const { spec, desired, supervisor } of registry.streams.values()) {
      if (desired !== "running") continue;
      const { health, state, session } = supervisor;
      const delivery = health.at(state, session?.evidence ?? null, now);
      this.#counters.timePassed(spec.owner, seconds, delivery.health === "delivering");
    }
  }
}
