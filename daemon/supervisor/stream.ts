import { messageOf } from "../log/message-of.ts";
import { StreamBroError } from "../../shared/errors.ts";
import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { DesiredState } from "../../shared/states.ts";
import type { Destination } from "../destination/parted.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { Usage } from "../health/resource-monitor.ts";
import type { MemoryRecord, SpecRecord } from "../store/schemas.ts";
import type { OutputSecrets } from "../store/secrets.ts";
import { foreign, notStarted, noSuchStream } from "./refusals.ts";
import { examine } from "./examine.ts";
import { type State, isAtRest, runOf } from "./state.ts";
import { statusOf } from "./status.ts";
import type { StreamContext } from "./stream-context.ts";
import { Supervisor } from "./supervisor.ts";

/** What a stream needs of the registry beside its surroundings. */
export type StreamPorts = Omit<StreamContext, "spec" | "desired" | "destination" | "finish"> & {
  save(record: SpecRecord): Promise<void>;
  usage(): Usage | null;
};

/** A stream as commands see it: one after another, each durable before it has an effect. */
export class Stream {
  readonly supervisor: Supervisor;
  #record: SpecRecord;
  #secrets: OutputSecrets | null;
  #forgotten = false;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #ports: StreamPorts;

  constructor(
    record: SpecRecord,
    secrets: OutputSecrets | null,
    memory: MemoryRecord | null,
    ports: StreamPorts,
  ) {
    this.#record = record;
    this.#secrets = secrets;
    this.#ports = ports;
    const context: StreamContext = {
      ...ports,
      spec: () => this.spec,
      desired: () => this.desired,
      destination: () => this.#destination(),
      finish: () => this.#finish(),
    };
    this.supervisor = new Supervisor(context, memory);
  }

  get spec(): StreamSpec {
    return this.#record.spec;
  }

  get record(): SpecRecord {
    return this.#record;
  }

  get desired(): DesiredState {
    return this.#record.desired;
  }

  /** Secrets of the first output; empty where there are none. */
  get secrets(): Readonly<Record<string, string>> {
    return this.#secrets?.[0] ?? {};
  }

  /** Which receiver and key it sends to, in a form that tells nothing. */
  get target(): string {
    // Without its key nobody can say where it goes, and it goes nowhere.
    if (!this.#destination().ok) return `unknown: ${this.spec.name}`;
    return this.#ports.targetOf({ url: this.spec.outputs[0]?.url ?? "", secrets: this.secrets });
  }

  get outputSecrets(): OutputSecrets | null {
    return this.#secrets;
  }

  status(): StreamStatus {
    const now = this.#ports.monotonic();
    return statusOf(this.spec, this.desired, this.supervisor, now, this.#ports.usage());
  }

  /** Errors: INPUT_UNUSABLE, DESTINATION_IN_USE, FOREIGN_PROCESS, STORAGE_FAILED. False: running already. */
  start(): Promise<boolean> {
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      const running = !isAtRest(state) && state.is !== "backoff" && state.is !== "stopping";
      if (running && state.is !== "foreign") return this.#desire("running");
      await this.#mayStart(state);
      await this.#wantRunning();
      this.supervisor.dispatch({ type: "start" });
      return true;
    });
  }

  /** Errors: FOREIGN_PROCESS, STORAGE_FAILED, stopped all the same. False: stopped already. */
  stop(): Promise<boolean> {
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      let wanted = false;
      try {
        wanted = await this.#desire("stopped");
      } catch (error) {
        // A full disk must not keep on the air what somebody wants off it.
        this.#record = { ...this.#record, desired: "stopped" };
        this.supervisor.dispatch({ type: "stop" });
        const why = messageOf(error).replace(/^Nothing was changed: /, "");
        const sentence = `${this.spec.name}: stopped, but the next daemon will start it again: ${why}`;
        throw new StreamBroError("STORAGE_FAILED", sentence);
      }
      this.supervisor.dispatch({ type: "stop" });
      if (state.is === "foreign") throw foreign(this.spec.name, state.why);
      return wanted || !isAtRest(state);
    });
  }

  restart(): Promise<boolean> {
    return this.inTurn(async () => {
      await this.#mayStart(this.supervisor.state);
      await this.#wantRunning();
      this.supervisor.dispatch({ type: "restart" });
      return true;
    });
  }

  /** Stops the stream, waits until nothing of it runs, and forgets it; later commands find no stream. */
  remove(forget: () => Promise<void>): Promise<void> {
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      if (state.is === "foreign") throw foreign(this.spec.name, state.why);
      await this.#desire("stopped").catch(() => {
        // What is to be forgotten need not be saved.
      });
      this.supervisor.dispatch({ type: "stop" });
      const rest = await untilAtRest(this.supervisor);
      if (rest.is === "foreign") throw foreign(this.spec.name, rest.why);
      await forget();
      this.#forgotten = true;
      this.supervisor.release();
    });
  }

  /** Ends the process, but not the wish to have it running: for the daemon's own end. */
  halt(): void {
    const { state } = this.supervisor;
    if (state.is === "preparing" || state.is === "stopping" || runOf(state) !== null) {
      this.supervisor.dispatch({ type: "stop" });
    } else this.supervisor.rest();
  }

  /** Takes a changed specification; what runs goes on as it was started. */
  async change(record: SpecRecord, secrets: OutputSecrets | null): Promise<void> {
    await this.#ports.save(record);
    this.#record = record;
    this.#secrets = secrets;
  }

  /** One command after another. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      // It was removed while this command waited for its turn.
      if (this.#forgotten) throw noSuchStream(this.spec.name);
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #mayStart(state: State): Promise<void> {
    const { name, input, mode, encoding, outputs } = this.spec;
    if (state.is === "foreign") throw foreign(name, state.why);
    const destination = this.#destination();
    if (!destination.ok) throw notStarted("INVALID_SPEC", name, destination.failure);
    this.#mayPublish();
    const wanted = { input, mode, encoding, url: outputs[0]?.url ?? "" };
    const examined = await examine(wanted, this.#ports);
    if (this.#ports.draining())
      throw new StreamBroError("SHUTTING_DOWN", "The daemon is stopping.");
    if (!examined.ok) throw notStarted("INPUT_UNUSABLE", name, examined.failure);
  }

  #mayPublish(): void {
    const conflict = this.#ports.conflict();
    if (conflict !== null) throw notStarted("DESTINATION_IN_USE", this.spec.name, conflict);
  }

  /** The last look at others comes when this one's wish is known: of two at once only one may start. */
  async #wantRunning(): Promise<void> {
    await this.#desire("running");
    try {
      this.#mayPublish();
    } catch (error) {
      if (isAtRest(this.supervisor.state)) await this.#desire("stopped");
      throw error;
    }
  }

  async #desire(desired: DesiredState): Promise<boolean> {
    if (this.#record.desired === desired) return false;
    await this.change({ ...this.#record, desired }, this.#secrets);
    return true;
  }

  async #finish(): Promise<void> {
    // At once: what a client sees must fit the state.
    this.#record = { ...this.#record, desired: "stopped" };
    try {
      await this.#ports.save(this.#record);
    } catch (error) {
      this.#ports.log.error(
        { event: "storage", error },
        `${this.spec.name}: could not save that it is finished`,
      );
    }
  }

  #destination(): { ok: true; destination: Destination } | { ok: false; failure: Failure } {
    const [output] = this.spec.outputs;
    const secrets = this.#secrets?.[0];
    if (output === undefined || (this.#record.keys !== null && secrets === undefined)) {
      const message = `its stream key cannot be read. Give it again: streambro set ${this.spec.name} --key-file FILE`;
      return { ok: false, failure: { reason: "auth-or-path-rejected", permanent: true, message } };
    }
    return { ok: true, destination: { url: output.url, secrets: secrets ?? {} } };
  }
}

/** Resolves with the state in which nothing of the stream runs any more, or nothing that is ours to end. */
const untilAtRest = (supervisor: Supervisor): Promise<State> =>
  new Promise((resolve) => {
    const look = (): void => {
      const { state } = supervisor;
      if (!isAtRest(state) && state.is !== "foreign") return;
      supervisor.changes.off("change", look);
      resolve(state);
    };
    supervisor.changes.on("change", look);
    look();
  });
