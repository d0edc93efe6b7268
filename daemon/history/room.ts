import type { LiveSettings } from "../config/live.ts";
import type { Clock } from "../clock/clock.ts";
import type { ResourceMonitor } from "../health/resource-monitor.ts";
import type { Log } from "../log/log.ts";
import type { Registry } from "../registry/registry.ts";
import type { Asking } from "./asking.ts";
import { History } from "./history.ts";
import type { Bounds } from "./prune.ts";
import { Remember } from "./remember.ts";
import { Subscribers } from "./subscribers.ts";

type Needed = {
  readonly file: string;
  readonly asking: Asking;
  readonly registry: Registry;
  readonly monitor: ResourceMonitor;
  readonly settings: LiveSettings;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
  readonly draining: () => boolean;
};

/** What happened: who remembers it, where it is kept, and who listens. */
export type HistoryRoom = {
  readonly asking: Asking;
  readonly history: History;
  readonly remember: Remember;
  readonly subscribers: Subscribers;
  /** The last that is remembered and told; `asked` is what the daemon ends by. */
  end(asked: string): void;
};

/** Listens to what the others already do: to be made after them. */
export const historyRoom = (needed: Needed): HistoryRoom => {
  const { file, asking, registry, monitor, settings, clock, monotonic, log, draining } = needed;
  const bounds = (): Bounds => {
    const { HISTORY_KEEP_MS, HISTORY_MAX_ROWS, HISTORY_MAX_ROWS_PER_STREAM } = settings.current();
    return {
      keepMs: HISTORY_KEEP_MS,
      rows: HISTORY_MAX_ROWS,
      rowsPerStream: HISTORY_MAX_ROWS_PER_STREAM,
    };
  };
  const history = new History({ file, bounds, clock, monotonic, log });
  const subscribers = new Subscribers(log);
  history.onEntry = (entry) => subscribers.tell(entry);
  const now = (): number => clock.now();
  const remember = new Remember({ history, asking, registry, monitor, settings, draining, now });
  const end = (asked: string): void => {
    remember.ended(asked);
    subscribers.close("the daemon has ended");
  };
  return { asking, history, remember, subscribers, end };
};
