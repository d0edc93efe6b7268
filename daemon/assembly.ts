import { availableParallelism } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { CleanupManager } from "./cleanup/cleanup-manager.ts";
import { removeOrphans } from "./cleanup/orphans.ts";
import { WallClock } from "./clock/wall-clock.ts";
import type { LiveSettings } from "./config/live.ts";
import type { Settings } from "./config/settings.ts";
import { Asking } from "./history/asking.ts";
import { type HistoryRoom, historyRoom } from "./history/room.ts";
import { HardwareDetector } from "./encoders/hardware-detector.ts";
import { respondTo } from "./health/breach.ts";
import { monitorOf } from "./health/monitor-of.ts";
import type { ResourceMonitor } from "./health/resource-monitor.ts";
import { Limits } from "./limits/limits.ts";
import type { Log } from "./log/log.ts";
import { SeenMedia } from "./media/seen-media.ts";
import { Reach } from "./reach/reach.ts";
import { Metering } from "./metrics/metering.ts";
import { Registry } from "./registry/registry.ts";
import { launcher } from "./runner/launch.ts";
import { Schedule } from "./schedule/schedule.ts";
import { placesOf } from "./store/layout.ts";
import type { Store } from "./store/store.ts";
import type { Tools } from "./supervisor/examine.ts";
import { StartGate } from "./supervisor/start-gate.ts";
import { Upkeep } from "./supervisor/upkeep.ts";

export type Assembled = {
  readonly clock: WallClock;
  readonly starts: StartGate;
  readonly registry: Registry;
  readonly monitor: ResourceMonitor;
  readonly limits: Limits;
  readonly schedule: Schedule;
  readonly cleanup: CleanupManager;
  readonly upkeep: Upkeep;
  readonly encoders: HardwareDetector;
  readonly seen: SeenMedia;
  readonly reach: Reach;
  readonly metering: Metering;
  readonly history: HistoryRoom;
};

export type Needed = {
  readonly store: Store;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly version: string;
  /** Path of runner.sh. */
  readonly runner: string;
  /** Where FFmpeg is looked for: PATH. */
  readonly searchPath: string;
  /** The daemon is ending. */
  readonly draining: () => boolean;
  /** Aborted then. */
  readonly ending: AbortSignal;
};

/** The program beside the runner that walks to an input. */
const REACH = "streambro-reach.cjs";

/** Puts together what the streams of one daemon share; nothing runs yet. */
export const assemble = ({
  store,
  log,
  runner,
  searchPath,
  draining,
  ending,
  ...needed
}: Needed): Assembled => {
  const settings = (): Settings => needed.settings.current();
  const clock = new WallClock();
  const tools = toolsOf(settings);
  const monotonic = (): number => performance.now();
  const monitor = monitorOf(settings, clock, monotonic);
  const limits = new Limits(store.layout.limits, settings, () => clock.now());
  const asking = new Asking();
  const schedule = new Schedule(clock, (name) => {
    void asking.onTime(() => registry.streams.get(name)?.expire());
  });
  const cleanup = new CleanupManager({
    ...{ settings, clock, log },
    places: (name) => placesOf(store.layout, name),
    forgetRetries: (name) => registry.forgetRetries(name),
    forgetNotes: (name) => upkeep.forget(name),
    removeOrphans: (active) => removeOrphans(store, active),
    onCleanup: (succeeded, bytes) =>
      metering.counts.cleanedUp(succeeded ? "success" : "failure", bytes),
  });
  const encoders = new HardwareDetector({
    ...{ settings, log, searchPath },
    file: store.layout.encoders,
  });
  const seen = new SeenMedia();
  const reach = new Reach(process.geteuid?.() ?? 0, path.join(path.dirname(runner), REACH));
  const starts = new StartGate({ clock, ending, most: () => mostStarts(settings()) });
  const upkeep = new Upkeep(log, () => settings().LOG_MAX_BYTES, { tools, encoders, seen, reach });
  const surroundings = {
    ...{ settings, tools, clock, draining, ending, monotonic, encoders, seen, reach, starts },
    launch: launcher(runner),
    random: Math.random,
  };
  const registry: Registry = new Registry(
    store,
    surroundings,
    {
      ...{ monitor, limiter: limits.limiter, schedule, cleanup },
      isAdminAsking: () => asking.current?.isAdmin === true,
    },
    log,
  );
  const metering: Metering = new Metering({
    ...{ registry, clock, monotonic, log, version: needed.version },
    file: store.layout.metrics,
    limits: () => limits.limiter.values,
    listen: () => settings().METRICS_LISTEN,
  });
  const { streams } = registry;
  monitor.onFinding = respondTo({ streams, log, metrics: metering.counts });
  const history = historyRoom({
    ...{ asking, registry, monitor, settings: needed.settings, clock, monotonic, log, draining },
    file: store.layout.history,
  });
  needed.settings.onChange((now, before) => {
    limits.refresh();
    const { RESOURCE_MONITOR_INTERVAL_MS: interval, MONITOR_ENABLED: enabled } = before;
    if (now.RESOURCE_MONITOR_INTERVAL_MS !== interval || now.MONITOR_ENABLED !== enabled)
      monitor.rewind();
  });
  limits.limiter.onRoom(() => registry.admitWaiting());
  clock.onStep((stepMs) => {
    const now = clock.now();
    for (const stream of registry.streams.values()) stream.shift(stepMs, now);
    metering.shift(stepMs);
    schedule.clockSet();
    log.warn({ event: "clock", stepMs }, `the wall clock was set ${stepWords(stepMs)}`);
    history.remember.clockSet(stepMs, stepWords(stepMs));
  });
  const shared = { clock, starts, schedule, cleanup, upkeep, encoders, seen, reach };
  return { registry, monitor, limits, metering, history, ...shared };
};

const mostStarts = ({ MAX_CONCURRENT_STARTS: given }: Settings): number =>
  given > 0 ? given : Math.max(2, 2 * availableParallelism());

const stepWords = (stepMs: number): string => {
  const seconds = (Math.abs(stepMs) / 1000).toFixed(0);
  return `${stepMs < 0 ? "back" : "forward"} by ${seconds} s; no stream is changed by that`;
};

/** As the settings are at each use. */
export const toolsOf = (settings: () => Settings): Tools => ({
  get ffmpeg() {
    return settings().FFMPEG_PATH;
  },
  get ffprobe() {
    return settings().FFPROBE_PATH;
  },
});
