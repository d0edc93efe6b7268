import type { Health } from "../../shared/states.ts";
import type { Change, LiveSettings } from "../config/live.ts";
import { SETTING_NAMES, inFile } from "../config/names.ts";
import type { Settings } from "../config/settings.ts";
import type { Finding, ResourceMonitor } from "../health/resource-monitor.ts";
import { figures } from "../health/thresholds.ts";
import type { Registry } from "../registry/registry.ts";
import { ownerOf } from "../registry/owner-of.ts";
import { statusesOf } from "../registry/statuses.ts";
import { bootId } from "../runner/identity.ts";
import type { Event } from "../supervisor/events.ts";
import type { HealthChange } from "../supervisor/health.ts";
import type { State } from "../supervisor/state.ts";
import type { Stream } from "../supervisor/stream.ts";
import type { Asking } from "./asking.ts";
import { happeningsOf } from "./chronicle.ts";
import { ALIVE, type History, RUNNING } from "./history.ts";
import type { Happening } from "./happening.ts";

type Surroundings = {
  readonly history: History;
  readonly asking: Asking;
  readonly registry: Registry;
  readonly monitor: ResourceMonitor;
  readonly settings: LiveSettings;
  readonly draining: () => boolean;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/** What happens in the daemon becomes entries of the history: who sees it happen calls one of these. */
export class Remember {
  readonly #surroundings: Surroundings;

  /** Listens from now on, after those who listen already. */
  constructor(surroundings: Surroundings) {
    const { registry, monitor, settings } = surroundings;
    this.#surroundings = surroundings;
    const { onTransition, onRefusal } = registry;
    registry.onTransition = (stream, ...step) => {
      onTransition(stream, ...step);
      this.#moved(stream, ...step);
    };
    registry.onRefusal = (refusal, name) => {
      onRefusal(refusal, name);
      this.#refused(name, refusal.message);
    };
    registry.onHealth = (stream, change) => this.#healthChanged(stream, change);
    const { onFinding } = monitor;
    monitor.onFinding = (finding) => {
      this.#found(finding);
      onFinding(finding);
    };
    settings.onChange((now, before) => this.#reloaded(now, before));
  }

  /**
   * A stream was added, changed or removed; `message` says how, without anything secret. `owner` is whose
   * it was, where it is there no more.
   */
  edited(
    stream: string,
    kind: "added" | "changed" | "removed",
    message: string,
    owner: string | null = null,
  ): void {
    const by = this.#surroundings.asking.current?.by ?? null;
    this.#record({ stream, kind, message, by, owner });
  }

  /** The daemon begins; also what became of the one before it. */
  began(version: string, pid: number): void {
    const { history, now } = this.#surroundings;
    const former = history.noted(RUNNING)?.split(" ");
    if (former !== undefined) {
      const [formerPid, boot] = former;
      const how = boot === bootId() ? "ended without a goodbye" : "was ended with its machine";
      const message = `streambrod ${formerPid ?? ""} ${how}`;
      const seenAt = this.#lastSeen();
      const seen = seenAt === null ? {} : { lastSeen: new Date(seenAt).toISOString() };
      const details = { pid: Number(formerPid) || 0, rebooted: boot !== bootId(), ...seen };
      this.#record({ stream: null, kind: "daemon-lost", message, details });
    }
    const message = `streambrod ${version} started as process ${pid}`;
    this.#record({ stream: null, kind: "daemon-started", message, details: { pid } });
    history.note(ALIVE, String(now()));
    history.note(RUNNING, `${pid} ${bootId()}`);
    // When what is left of the one before has been looked at.
    setImmediate(() => this.#foundForeign());
  }

  /** The daemon says goodbye; `asked` is the signal or command it ends by. */
  ended(asked: string): void {
    const { history, asking } = this.#surroundings;
    const { current } = asking;
    const by = current?.command === "daemon.stop" ? current.by : null;
    const message = `streambrod ended: ${asked}`;
    this.#record({ stream: null, kind: "daemon-stopped", message, by });
    history.note(RUNNING, null);
    history.close();
  }

  /** When the daemon before this one was last known to live, in Unix milliseconds; null: not known. */
  #lastSeen(): number | null {
    const { history } = this.#surroundings;
    // In a file that is good so far there may be pages that are not: nothing ends because of it.
    const seen = [Number(history.noted(ALIVE)) || 0, history.lastAt() ?? 0];
    return Math.max(...seen) || null;
  }

  /** The wall clock was set; `how` says by how much. */
  clockSet(stepMs: number, how: string): void {
    const message = `the wall clock was set ${how}`;
    this.#record({ stream: null, kind: "clock", message, details: { stepMs } });
  }

  /** What a start found that no step led to. */
  #foundForeign(): void {
    for (const { name: stream, state: to, note } of statusesOf(this.#surroundings.registry)) {
      const isFound = to === "foreign" || this.#surroundings.registry.leftAlone.has(stream);
      if (!isFound) continue;
      this.#record({ stream, kind: "state", from: "stopped", to, message: note ?? "" });
    }
  }

  #moved(stream: Stream, from: State, event: Event, to: State): void {
    const { asking, draining, now } = this.#surroundings;
    const { name, owner } = stream.spec;
    const { lastExit, fallback } = stream.supervisor.track;
    const around = { now: now(), draining: draining(), asked: asking.current };
    const told = happeningsOf(from, event, to, { ...around, exit: lastExit, fallback });
    for (const one of told) this.#record({ ...one, stream: name, owner });
  }

  /** That nothing is known before and after a run is told by the states. */
  #healthChanged({ spec }: Stream, { from, to }: HealthChange): void {
    const isTrouble = (health: Health): boolean => health === "congested" || health === "stalled";
    if (!isTrouble(from.health) && !isTrouble(to.health)) return;
    const message = to.why ?? "media arrives";
    const change = { from: from.health, to: to.health };
    this.#record({ stream: spec.name, kind: "health", ...change, message });
  }

  /** One that nobody has asked for waits instead, which is told by its state. */
  #refused(stream: string, message: string): void {
    const { current } = this.#surroundings.asking;
    if (current === null || current.command === "time") return;
    const { by } = current;
    const sentence = `not started: ${message}`;
    this.#record({ stream, kind: "refused", reason: "limit-exceeded", message: sentence, by });
  }

  #found({ verdict, usage }: Finding): void {
    const { streamId: stream, processId: pid } = usage;
    const action = this.#surroundings.registry.streams.get(stream)?.spec.onResourceBreach;
    const using = figures(usage);
    const message = {
      warn: `using high resources: ${using}`,
      breach: `using high resources for too long: ${using}; what follows: ${action ?? "nothing"}`,
      clear: `resources are back to normal: ${using}`,
    }[verdict];
    const reason = verdict === "breach" ? "resource-breach" : null;
    this.#record({ stream, kind: "resources", reason, message, details: { pid } });
  }

  #reloaded(now: Settings, before: Settings): void {
    const changes = SETTING_NAMES.flatMap((name): Change[] =>
      now[name] === before[name] ? [] : [{ name, from: before[name], to: now[name] }],
    );
    const said = changes.map(
      ({ name, from, to }) => `${inFile(name as keyof Settings)} ${shown(from)} -> ${shown(to)}`,
    );
    const { current } = this.#surroundings.asking;
    const by = current?.command === "daemon.reload" ? current.by : null;
    this.#record({ stream: null, kind: "settings", message: said.join("; "), by });
  }

  #record(happening: Happening): void {
    const { history, registry } = this.#surroundings;
    const { stream } = happening;
    const owner = happening.owner ?? (stream === null ? null : ownerOf(registry, stream));
    history.record({ ...happening, owner });
  }
}

const shown = (value: Change["from"]): string => (value === "" ? '""' : String(value));
