import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Failure } from "../ffmpeg/failure.ts";
import type { CleanupManager } from "../cleanup/cleanup-manager.ts";
import type { ResourceMonitor } from "../health/resource-monitor.ts";
import type { Log } from "../log/log.ts";
import { logRefusedStart, refusedStart } from "../limits/refused-start.ts";
import type { LimitRefusal, StreamLimiter } from "../limits/stream-limiter.ts";
import { lockState } from "../runner/lock.ts";
import { findMarked } from "../runner/find-runs.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { saltOf } from "../store/salt.ts";
import type { Destination } from "../destination/parted.ts";
import { whatIsLeft } from "../supervisor/adoption.ts";
import { hostOf } from "../supervisor/exit-account.ts";
import type { Event } from "../supervisor/events.ts";
import type { HealthChange } from "../supervisor/health.ts";
import { type State, holdsSlot, isAtRest, runOf } from "../supervisor/state.ts";
import type { Surroundings } from "../supervisor/stream-context.ts";
import { noSuchStream } from "../supervisor/refusals.ts";
import { Stream } from "../supervisor/stream.ts";
import { placesOf } from "../store/layout.ts";
import { destinationInUse } from "./destination-in-use.ts";
import { LeftAlone } from "./left-alone.ts";
import type { MemoryRecord, SpecRecord } from "../store/schemas.ts";
import type { OutputSecrets } from "../store/secrets.ts";
import type { Store } from "../store/store.ts";
import { ownerOf } from "./owner-of.ts";
import { Saving } from "./saving.ts";

/** What has to do with all streams together. */
export type Parts = {
  readonly monitor: ResourceMonitor;
  readonly limiter: StreamLimiter;
  readonly schedule: Schedule;
  readonly cleanup: CleanupManager;
  /** Whether what is being done just now is done for somebody who may know of everybody's streams. */
  readonly isAdminAsking: () => boolean;
};

/** Every stream of this daemon, by name. */
export class Registry {
  readonly streams: Map<string, Stream> = new Map<string, Stream>();
  /** Called when a stream begins to start or stop: it should be looked at more often. */
  onBusy: () => void = () => {};
  /** Called for each step in a stream's life, after it was taken. */
  onTransition: (stream: Stream, from: State, event: Event, to: State) => void = () => {};
  /** Called for each change of a stream's health. */
  onHealth: (stream: Stream, change: HealthChange) => void = () => {};
  /** Called where a limit keeps a stream from starting. */
  onRefusal: (refusal: LimitRefusal, name: string) => void = () => {};
  /** Not among the streams; their names are not to be given to others. */
  readonly leftAlone: LeftAlone;
  readonly #store: Store;
  readonly #surroundings: Surroundings;
  readonly #parts: Parts;
  readonly #log: Log;
  readonly #salt: Buffer;
  readonly #saving: Saving;

  constructor(store: Store, surroundings: Surroundings, parts: Parts, log: Log) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#parts = parts;
    this.leftAlone = new LeftAlone(parts.limiter);
    this.#saving = new Saving({ store, streams: this.streams, clock: surroundings.clock, log });
    this.#salt = saltOf(path.dirname(store.layout.daemonLock));
    this.#log = log;
  }

  /** Sentences for the operator, as they are now. */
  get warnings(): string[] {
    const { warning } = this.#saving;
    return warning === null ? [] : [warning];
  }

  /** Errors: STREAM_NOT_FOUND; FOREIGN_PROCESS, OPERATION_FAILED where it is left alone. */
  get(name: string): Stream {
    this.leftAlone.refuse(name);
    const stream = this.streams.get(name);
    if (stream === undefined) throw noSuchStream(name);
    return stream;
  }

  /** All streams in the order of their names. */
  sorted(): Stream[] {
    return [...this.streams.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  /** Makes a stream of records that are on disk already. */
  open(record: SpecRecord, secrets: OutputSecrets | null, memory: MemoryRecord | null): Stream {
    const { name } = record.spec;
    const { monitor, limiter, schedule, cleanup } = this.#parts;
    const places = placesOf(this.#store.layout, name);
    const stream = new Stream(record, secrets, memory, {
      ...this.#surroundings,
      name,
      places,
      log: this.#log.child({ stream: name }),
      conflict: (forWhom) => this.#conflict(name, forWhom),
      usage: () => monitor.getUsage(name),
      takeSlot: () => {
        const refusal = limiter.reserve(name, stream.spec.owner);
        if (refusal === null) return;
        this.onRefusal(refusal, name);
        logRefusedStart(this.#log, name, refusal);
        throw refusedStart(name, refusal, limiter, this.#parts.isAdminAsking());
      },
      settleSlot: () => this.settleSlot(stream),
      scheduled: (stopAt) => schedule.set(name, stopAt),
      cleanUp: (what) =>
        void (what === "all" ? cleanup.fullCleanup(name) : cleanup.cleanupTempFiles(name)),
      save: (changed, inForce) => this.#saving.saveSpec(name, changed, inForce),
      remember: (latest) => this.#saving.remember(name, latest),
      trouble: () => this.#saving.troubleOf(name),
      lock: () => lockState(places.lock),
      left: () => {
        const latest = stream.supervisor.track.toMemory(stream.supervisor.state, 0, null);
        return whatIsLeft(places, latest, stream.secrets, findMarked(places.marker));
      },
      targetOf: (destination) => this.#targetOf(destination),
    });
    this.streams.set(name, stream);
    stream.supervisor.changes.on("transition", (...step) => this.onTransition(stream, ...step));
    stream.supervisor.changes.on("health", (change) => this.onHealth(stream, change));
    stream.supervisor.changes.on("change", () => {
      const { is } = stream.supervisor.state;
      const pid = runOf(stream.supervisor.state)?.pids.ffmpeg.pid;
      if (pid === undefined) monitor.stopMonitoring(name);
      else monitor.startMonitoring(name, pid);
      this.settleSlot(stream);
      if (is === "starting" || is === "stopping") this.onBusy();
    });
    return stream;
  }

  /** Whether there is a slot for a stream that nobody has asked for just now; without one it waits. */
  admit(stream: Stream): boolean {
    const { name, owner } = stream.spec;
    const refusal = this.#parts.limiter.reserve(name, owner);
    if (refusal === null) return true;
    const { state } = stream.supervisor;
    if (state.is === "waiting") {
      if (state.why !== refusal.message)
        stream.supervisor.dispatch({ type: "no-room", why: refusal.message });
      return false;
    }
    this.onRefusal(refusal, name);
    logRefusedStart(this.#log, name, refusal);
    stream.supervisor.dispatch({ type: "no-room", why: refusal.message });
    return false;
  }

  /** Starts what waits for a slot, by name, as far as there is room. */
  admitWaiting(): void {
    if (this.#surroundings.draining()) return;
    for (const stream of this.sorted()) {
      if (stream.supervisor.state.is !== "waiting" || stream.desired !== "running") continue;
      if (this.admit(stream)) stream.supervisor.dispatch({ type: "resume" });
    }
  }

  /**
   * Clears away what streams at rest have left that could not be, or was not to be, cleared away when
   * they came to rest. What belongs to a process that nobody sees is left alone.
   */
  async clearResting(): Promise<void> {
    for (const stream of this.sorted()) {
      const { name } = stream.spec;
      const { run, lock } = placesOf(this.#store.layout, name);
      if (!isAtRest(stream.supervisor.state) || !existsSync(run)) continue;
      const isFree = (await lockState(lock)) === "free";
      if (isFree && isAtRest(stream.supervisor.state)) await this.#parts.cleanup.fullCleanup(name);
    }
  }

  /** Forgets what was counted of a stream's failures, where it rests; how many there were. */
  forgetRetries(name: string): number {
    const supervisor = this.streams.get(name)?.supervisor;
    // What has failed for good would only fail in the same place again.
    if (supervisor === undefined || supervisor.state.is === "failed") return 0;
    return supervisor.track.forgetFailures();
  }

  /** Brings the limiter's count of a stream in line with what it is doing. */
  settleSlot(stream: Stream): void {
    const { limiter } = this.#parts;
    const { name, owner } = stream.spec;
    if (stream.needsSlot) limiter.hold(name, owner);
    else limiter.unregisterStream(name);
  }

  /** Stops a stream and forgets it, with every file. Errors: FOREIGN_PROCESS, STORAGE_FAILED. */
  async remove(name: string): Promise<void> {
    const stream = this.get(name);
    this.#store.mayForget();
    await stream.remove(async () => {
      // Or a late write would bring back a file of it.
      await this.#saving.settled(name);
      const left = await this.#store.forget(name);
      if (left.length === 0) return;
      const why = `it is removed, and these stay until the next start: ${left.join(", ")}`;
      this.#parts.cleanup.cleanupFailed(name, why);
    });
    this.streams.delete(name);
    this.#saving.forget(name);
  }

  /** Another stream that sends to the same destination with the same key, and runs or soon will. */
  #conflict(name: string, forWhom: "owner" | "asker"): Failure | null {
    const own = this.streams.get(name);
    if (own === undefined) return null;
    const { target } = own;
    const inUse = (rival: string, isLeftAlone = false): Failure => {
      const isOwn = ownerOf(this, rival) === own.spec.owner;
      const isTold = isOwn || (forWhom === "asker" && this.#parts.isAdminAsking());
      const host = hostOf(own.spec.outputs[0]?.url ?? "");
      return destinationInUse(host, isTold ? { name: rival, isLeftAlone } : null);
    };
    for (const other of this.streams.values()) {
      if (other === own || !holdsSlot(other.supervisor.state)) continue;
      // Of two that wait for their turn, the one whose turn comes first has it.
      if (own.supervisor.state.is === "preparing" && other.supervisor.turn.isQueued) continue;
      // What it runs with, and what it would be started with again: a change may lie between the two.
      const running = other.supervisor.session?.contents.record.target ?? null;
      if (target === running || target === other.target) return inUse(other.spec.name);
    }
    const left = this.leftAlone.sendingTo(target, (destination) => this.#targetOf(destination));
    return left === null ? null : inUse(left, true);
  }

  #targetOf({ url, secrets }: Destination): string {
    // A host's name has no case, an application's has.
    const place = url.replace(/^[a-z]+:\/\/[^/]+/i, (host) => host.toLowerCase());
    const plain = place.replace(/^(rtmp:\/\/[^/]+):1935(?=\/|$)/, "$1");
    const entries = Object.entries(secrets).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify([plain, entries]);
    return createHmac("sha256", this.#salt).update(text).digest("base64");
  }
}
