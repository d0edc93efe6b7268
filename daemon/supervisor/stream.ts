import { messageOf } from "../log/message-of.ts";
import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { DesiredState } from "../../shared/states.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { MemoryRecord, SpecRecord } from "../store/schemas.ts";
import type { OutputSecrets } from "../store/secrets.ts";
import { Durable, NEVER, type StopTime } from "./durable.ts";
import { mayPublish, mayStart } from "./may-start.ts";
import { foreign, noSuchStream, shuttingDown, stoppedUnsaved } from "./refusals.ts";
import { type State, holdsSlot, isAtRest, runOf } from "./state.ts";
import { statusOf } from "./status.ts";
import type { StreamContext } from "./stream-context.ts";
import type { StreamPorts } from "./stream-ports.ts";
import { Supervisor } from "./supervisor.ts";
import { Turns } from "./turns.ts";
import { untilAtRest } from "./until-at-rest.ts";

/** A stream as commands see it: one after another, each durable before it has an effect. */
export class Stream {
  readonly supervisor: Supervisor;
  readonly #durable: Durable;
  /** A slot is held for a start that has not come to the supervisor yet. */
  #isStarting = false;
  readonly #turns = new Turns();
  readonly #ports: StreamPorts;

  constructor(
    record: SpecRecord,
    secrets: OutputSecrets | null,
    memory: MemoryRecord | null,
    ports: StreamPorts,
  ) {
    this.#durable = new Durable(record, secrets, {
      save: (changed, inForce) => ports.save(changed, inForce),
      scheduled: (stopAt) => ports.scheduled(stopAt),
    });
    this.#ports = ports;
    const context: StreamContext = {
      ...ports,
      spec: () => this.spec,
      desired: () => this.desired,
      destination: () => this.#durable.destination(),
      finish: () => this.#rest("could not save that it is finished"),
    };
    this.supervisor = new Supervisor(context, memory);
  }

  get spec(): StreamSpec {
    return this.#durable.spec;
  }

  get record(): SpecRecord {
    return this.#durable.record;
  }

  get desired(): DesiredState {
    return this.#durable.desired;
  }

  get secrets(): Readonly<Record<string, string>> {
    return this.#durable.secrets;
  }

  get outputSecrets(): OutputSecrets | null {
    return this.#durable.outputSecrets;
  }

  /** Whether it counts towards the limits. */
  get needsSlot(): boolean {
    return this.#isStarting || holdsSlot(this.supervisor.state);
  }

  /** Which receiver and key it sends to, in a form that tells nothing. */
  get target(): string {
    // Without its key nobody can say where it goes, and it goes nowhere.
    if (!this.#durable.destination().ok) return `unknown: ${this.spec.name}`;
    return this.#ports.targetOf({ url: this.spec.outputs[0]?.url ?? "", secrets: this.secrets });
  }

  status(): StreamStatus {
    return statusOf(this.record, this.supervisor, this.#ports);
  }

  /**
   * `stop`: when it is to be stopped by itself. False: so already. Errors: INPUT_UNUSABLE, DESTINATION_IN_USE, FOREIGN_PROCESS, STREAM_LIMIT_EXCEEDED, STORAGE_FAILED.
   */
  start(stop: StopTime): Promise<boolean> {
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      this.supervisor.turn.hurry();
      if (state.is === "preparing" || state.is === "starting" || state.is === "live")
        return this.#durable.want("running", stop);
      await this.#withSlot(state, stop, () => this.supervisor.dispatch({ type: "start" }));
      return true;
    });
  }

  restart(): Promise<boolean> {
    return this.inTurn(async () => {
      await this.#withSlot(this.supervisor.state, this.#durable.stop, () =>
        this.supervisor.dispatch({ type: "restart" }),
      );
      return true;
    });
  }

  /**
   * `why` where nobody asked for it. False: stopped already. Errors: FOREIGN_PROCESS, STORAGE_FAILED,
   * stopped all the same.
   */
  stop(why?: Failure): Promise<boolean> {
    // A start before it, which waits for others, is not waited for.
    this.#ports.starts.letThrough(this.spec.name);
    return this.inTurn(() => this.#stop(why));
  }

  /** Stops it for the sake of one process; a later one is left alone. Errors: STORAGE_FAILED. */
  stopProcess(pid: number, why: Failure): Promise<boolean> {
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      const isIts = state.is !== "stopping" && runOf(state)?.pids.ffmpeg.pid === pid;
      return isIts && (await this.#stop(why));
    });
  }

  /** Stops a stream whose time is over; one whose time was changed meanwhile goes on. */
  expire(): Promise<void> {
    return this.inTurn(async () => {
      const now = this.#ports.clock.now();
      const { stopAt } = this.#durable;
      if (stopAt === null || stopAt > now) return;
      const { log } = this.#ports;
      log.info({ event: "time-over" }, `${this.spec.name}: its time is over; stopping it`);
      await this.#stop().catch((error: unknown) => {
        log.error({ event: "time-over", error }, messageOf(error));
      });
    });
  }

  /** Before anything of it is taken up: a time that passed while no daemon was there means stopped. */
  expireAtStart(): void {
    const now = this.#ports.clock.now();
    this.#durable.followClock(now);
    const { stopAt } = this.#durable;
    if (stopAt === null || stopAt > now) return this.#ports.scheduled(stopAt);
    const sentence = `${this.spec.name}: its time was over before this daemon started`;
    this.#ports.log.info({ event: "time-over" }, sentence);
    void this.#rest("could not save that its time is over");
  }

  /** Stops the stream, waits until nothing of it runs, and forgets it; later commands find no stream. */
  remove(forget: () => Promise<void>): Promise<void> {
    this.#ports.starts.letThrough(this.spec.name);
    return this.inTurn(async () => {
      const { state } = this.supervisor;
      if (state.is === "foreign") throw foreign(this.spec.name, state.why);
      await this.#durable.want("stopped", NEVER).catch(() => {
        // What is to be forgotten need not be saved.
      });
      this.supervisor.dispatch({ type: "stop" });
      const rest = await untilAtRest(this.supervisor);
      if (rest.is === "foreign") throw foreign(this.spec.name, rest.why);
      await forget();
      this.#turns.close(() => noSuchStream(this.spec.name));
      this.#ports.scheduled(null);
      this.supervisor.release();
    });
  }

  /** The wall clock was set forward by so much, to `now`. */
  shift(stepMs: number, now: number): void {
    this.supervisor.shift(stepMs);
    this.#durable.followClock(now);
  }

  /** Resolves when what is wanted of it is on disk, or cannot be. */
  settled(): Promise<void> {
    return this.#durable.settled();
  }

  /** Takes a changed specification; what runs goes on as it was started. Errors: STORAGE_FAILED. */
  async change(record: SpecRecord, secrets: OutputSecrets | null): Promise<void> {
    await this.#durable.change(record, secrets);
    this.#ports.settleSlot();
  }

  /** One command after another. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  async #stop(why?: Failure): Promise<boolean> {
    const { state } = this.supervisor;
    let wanted = false;
    try {
      wanted = await this.#durable.want("stopped", NEVER);
    } catch {
      // A full disk must not keep on the air what somebody wants off it.
      const saving = this.#durable.wantStopped();
      this.supervisor.dispatch({ type: "stop", why });
      await saving.catch((error: unknown) => {
        throw stoppedUnsaved(this.spec.name, error);
      });
      return true;
    }
    this.supervisor.dispatch({ type: "stop", why });
    if (state.is === "foreign") throw foreign(this.spec.name, state.why);
    return wanted || !isAtRest(state);
  }

  /** Takes a slot, examines, makes the wish durable, begins; where one fails, all is as it was. */
  async #withSlot(state: State, stop: StopTime, begin: () => void): Promise<void> {
    // First: a start too many costs nothing.
    this.#ports.takeSlot();
    this.#isStarting = true;
    try {
      await mayStart(this.spec, state, this.#durable.destination(), this.#ports);
      await this.#wantRunning(stop);
      if (this.#ports.draining()) throw shuttingDown();
      begin();
    } finally {
      this.#isStarting = false;
      this.#ports.settleSlot();
    }
  }

  /** The last look at others comes when this one's wish is known: of two at once only one may start. */
  async #wantRunning(stop: StopTime): Promise<void> {
    const before = { desired: this.desired, stop: this.#durable.stop };
    await this.#durable.want("running", stop);
    try {
      mayPublish(this.spec.name, this.#ports);
    } catch (error) {
      await this.#durable.want(before.desired, before.stop);
      throw error;
    }
  }

  /** Nobody wants it running any more, at once, saved or not. */
  async #rest(trouble: string): Promise<void> {
    try {
      await this.#durable.wantStopped();
    } catch (error) {
      this.#ports.log.error({ event: "storage", error }, `${this.spec.name}: ${trouble}`);
    }
  }
}
