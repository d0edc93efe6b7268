import { messageOf } from "../log/message-of.ts";
import { createHmac, randomBytes } from "node:crypto";
import { StreamBroError } from "../../shared/errors.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { ResourceMonitor } from "../health/resource-monitor.ts";
import type { Log } from "../log/log.ts";
import { lockIsFree } from "../runner/lock.ts";
import { hostOf } from "../supervisor/exit-account.ts";
import { isAtRest, runOf } from "../supervisor/state.ts";
import type { Surroundings } from "../supervisor/stream-context.ts";
import { Stream } from "../supervisor/stream.ts";
import { placesOf } from "../store/layout.ts";
import type { MemoryRecord, SpecRecord } from "../store/schemas.ts";
import type { OutputSecrets } from "../store/secrets.ts";
import type { Store } from "../store/store.ts";

/** Every stream of this daemon, by name. */
export class Registry {
  readonly streams: Map<string, Stream> = new Map<string, Stream>();
  /** Called when a stream begins to start or stop: it should be looked at more often. */
  onBusy: () => void = () => {};
  readonly #store: Store;
  readonly #surroundings: Surroundings;
  readonly #monitor: ResourceMonitor;
  readonly #log: Log;
  /** Makes digests of destinations that mean nothing outside this process. */
  readonly #salt: Buffer = randomBytes(32);
  readonly #reported = new Set<string>();

  constructor(store: Store, surroundings: Surroundings, monitor: ResourceMonitor, log: Log) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#monitor = monitor;
    this.#log = log;
  }

  /** Errors: STREAM_NOT_FOUND. */
  get(name: string): Stream {
    const stream = this.streams.get(name);
    if (stream === undefined) {
      throw new StreamBroError(
        "STREAM_NOT_FOUND",
        `${name}: there is no stream of this name. See: streambro ls`,
      );
    }
    return stream;
  }

  /** All streams in the order of their names. */
  sorted(): Stream[] {
    return [...this.streams.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  /** Makes a stream of records that are on disk already. */
  open(record: SpecRecord, secrets: OutputSecrets | null, memory: MemoryRecord | null): Stream {
    const { name } = record.spec;
    const places = placesOf(this.#store.layout, name);
    const stream = new Stream(record, secrets, memory, {
      ...this.#surroundings,
      name,
      places,
      log: this.#log.child({ stream: name }),
      conflict: () => this.#conflict(name),
      usage: () => this.#monitor.getUsage(name),
      save: (changed) => this.#store.specs.write(name, changed),
      remember: (latest) => this.#remember(name, latest),
      lockIsFree: () => lockIsFree(places.lock),
    });
    this.streams.set(name, stream);
    stream.supervisor.changes.on("change", () => {
      const { is } = stream.supervisor.state;
      const pid = runOf(stream.supervisor.state)?.pids.ffmpeg.pid;
      if (pid === undefined) this.#monitor.stopMonitoring(name);
      else this.#monitor.startMonitoring(name, pid);
      if (is === "starting" || is === "stopping") this.onBusy();
    });
    return stream;
  }

  /** Stops a stream, waits until nothing of it runs, and forgets it. Errors: FOREIGN_PROCESS, STORAGE_FAILED. */
  async remove(name: string): Promise<void> {
    const stream = this.get(name);
    await stream.stop();
    await stream.inTurn(async () => {
      await untilAtRest(stream);
      if (this.streams.get(name) !== stream) return;
      this.streams.delete(name);
      stream.supervisor.release();
      await this.#store.forget(name);
    });
  }

  /** Another stream that sends to the same destination with the same key, and runs or soon will. */
  #conflict(name: string): Failure | null {
    const own = this.streams.get(name);
    if (own === undefined) return null;
    for (const other of this.streams.values()) {
      if (other === own || isAtRest(other.supervisor.state)) continue;
      if (this.#digest(other) !== this.#digest(own)) continue;
      const message =
        `${other.spec.name} is sending to the same destination with the same key ` +
        `(${hostOf(own.spec.outputs[0]?.url ?? "")}). Stop it first: streambro stop ${other.spec.name}`;
      return { reason: "already-publishing", permanent: false, message };
    }
    return null;
  }

  #digest(stream: Stream): string {
    const url = (stream.spec.outputs[0]?.url ?? "")
      .toLowerCase()
      .replace(/^(rtmp:\/\/[^/]+):1935\//, "$1/");
    const text = JSON.stringify([
      url,
      Object.entries(stream.secrets).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    return createHmac("sha256", this.#salt).update(text).digest("base64");
  }

  /** Never throws: streams go on when the disk is full, and it is said once until it is over. */
  async #remember(name: string, memory: MemoryRecord): Promise<void> {
    if (!this.streams.has(name)) return;
    try {
      await this.#store.memories.write(name, memory);
      if (this.#reported.delete(name))
        this.#log.info({ event: "storage", stream: name }, `${name}: saving works again`);
    } catch (error) {
      if (this.#reported.has(name)) return;
      this.#reported.add(name);
      const why = messageOf(error);
      this.#log.error(
        { event: "storage", stream: name },
        `${name}: its position and state are not being saved. ${why}`,
      );
    }
  }
}

const untilAtRest = (stream: Stream): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!isAtRest(stream.supervisor.state)) return;
      stream.supervisor.changes.off("change", look);
      resolve();
    };
    stream.supervisor.changes.on("change", look);
    look();
  });
