import { readdirSync } from "node:fs";
import { Counter, Gauge, type Registry } from "./prometheus.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { HEALTH_STATES, STREAM_STATES, type StreamState } from "../../shared/states.ts";
import type { LimitValues } from "../limits/stream-limiter.ts";

/** What is, as opposed to what was counted; asked for at each scrape. */
export type Facts = {
  readonly version: string;
  /** Unix milliseconds. */
  startedAt(): number;
  streams(): readonly StreamStatus[];
  limits(): LimitValues;
};

/** States in which a stream is on the air, on its way there, or coming off: those that hold a slot. */
const ACTIVE: ReadonlySet<StreamState> = new Set<StreamState>([
  "starting",
  "live",
  "backoff",
  "stopping",
  "foreign",
]);

type Reading = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };
type Read = () => readonly Reading[];

/** Gauges of a registry of prom-client's. */
export const addGauges = (registry: Registry, facts: Facts): void => {
  const gauge = (name: string, help: string, labelNames: string[], read: Read): void => {
    const made = new Gauge({
      ...{ name, help, labelNames, registers: [] },
      collect() {
        this.reset();
        for (const { labels = {}, value } of read()) this.set(labels, value);
      },
    });
    registry.registerMetric(made);
  };
  const each = (name: string, help: string, valueOf: (one: StreamStatus) => number | null): void =>
    gauge(name, help, ["stream", "owner"], () =>
      facts.streams().flatMap((stream) => {
        const value = valueOf(stream);
        const labels = { stream: stream.name, owner: stream.owner };
        return value === null ? [] : [{ labels, value }];
      }),
    );
  const active = (): readonly StreamStatus[] =>
    facts.streams().filter(({ state }) => ACTIVE.has(state));

  gauge("streambro_build_info", "The daemon's release.", ["version"], () => [
    { labels: { version: facts.version }, value: 1 },
  ]);
  gauge("streambro_streams", "Streams by state.", ["state"], () =>
    STREAM_STATES.map((state) => {
      const value = facts.streams().filter((stream) => stream.state === state).length;
      return { labels: { state }, value };
    }),
  );
  gauge(
    "streambro_active_streams",
    "Streams of each owner that are on the air, on their way there or coming off.",
    ["owner"],
    () => perOwner(facts.streams(), active()),
  );
  gauge("streambro_active_streams_global", "The same of all owners.", [], () => [
    { value: active().length },
  ]);
  gauge(
    "streambro_limit",
    "Streams that may be active: scope global, user, or user of one owner.",
    ["scope", "owner"],
    () => limitsOf(facts.limits()),
  );
  each(
    "streambro_stream_desired",
    "1 where a stream should be on the air, else 0.",
    ({ desired }) => (desired === "running" ? 1 : 0),
  );
  each("streambro_stream_delivering", "1 where media of a stream arrives, else 0.", ({ health }) =>
    health === "delivering" ? 1 : 0,
  );
  gauge(
    "streambro_stream_health",
    "1 for what a stream's health is: delivering, congested, stalled or unknown.",
    ["stream", "owner", "health"],
    () =>
      facts.streams().flatMap(({ name: stream, owner, health: now }) =>
        HEALTH_STATES.map((health) => ({
          labels: { stream, owner, health },
          value: health === now ? 1 : 0,
        })),
      ),
  );
  each(
    "streambro_stream_backlog_bytes",
    "What FFmpeg has handed over and the receiver has not acknowledged.",
    ({ outputs }) => outputs[0]?.backlogBytes ?? null,
  );
  each("streambro_stream_bitrate_bits_per_second", "What a receiver acknowledges.", bitsPerSecond);
  each(
    "streambro_stream_cpu_percent",
    "CPU of a stream's FFmpeg, in percent of one core.",
    ({ usage }) => usage?.cpuPercent ?? null,
  );
  each(
    "streambro_stream_memory_bytes",
    "Resident memory of a stream's FFmpeg, shared libraries included.",
    ({ usage }) => usage?.memoryBytes ?? null,
  );
  each(
    "streambro_stream_memory_pss_bytes",
    "Proportional memory of a stream's FFmpeg: shared libraries counted in parts.",
    ({ usage }) => usage?.pssBytes ?? null,
  );
  addOwn(registry, gauge, () => facts.startedAt());
};

/** The daemon itself, under the names that Prometheus' own libraries use. */
const addOwn = (
  registry: Registry,
  gauge: (name: string, help: string, labels: string[], read: Read) => void,
  startedAt: () => number,
): void => {
  gauge("process_start_time_seconds", "When the daemon started, since the epoch.", [], () => [
    { value: startedAt() / 1000 },
  ]);
  gauge("process_resident_memory_bytes", "Resident memory of the daemon.", [], () => [
    { value: process.memoryUsage.rss() },
  ]);
  gauge("process_open_fds", "File descriptors that the daemon has open.", [], () => {
    const value = openDescriptors();
    return value === null ? [] : [{ value }];
  });
  const cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time that the daemon has used.",
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
  registry.registerMetric(cpu);
};

const openDescriptors = (): number | null => {
  try {
    // One of them is the listing's own.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return null;
  }
};

/** Every owner of a stream, those with none active too. */
const perOwner = (all: readonly StreamStatus[], active: readonly StreamStatus[]): Reading[] =>
  [...new Set(all.map(({ owner }) => owner))].map((owner) => ({
    labels: { owner },
    value: active.filter((stream) => stream.owner === owner).length,
  }));

const limitsOf = ({ global, perUser, users }: LimitValues): Reading[] => [
  { labels: { scope: "global" }, value: global },
  { labels: { scope: "user" }, value: perUser },
  ...Object.entries(users).map(([owner, value]) => ({ labels: { scope: "user", owner }, value })),
];

const bitsPerSecond = ({ outputs }: StreamStatus): number | null => {
  const known = outputs.flatMap(({ bitrateKbps }) => (bitrateKbps === null ? [] : [bitrateKbps]));
  return known.length === 0 ? null : known.reduce((sum, kbps) => sum + kbps * 1000, 0);
};
