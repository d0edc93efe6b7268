import { EventEmitter } from "node:events";
import type { Exit, Failure } from "../ffmpeg/failure.ts";
import { existence } from "../runner/identity.ts";
import type { Contents } from "../runner/run-directory.ts";
import type { MemoryRecord } from "../store/schemas.ts";
import { runFrom } from "./adoption.ts";
import type { Changes } from "./changes.ts";
import type { Effect, Event } from "./events.ts";
import type { Connection } from "../health/sockets.ts";
import { Ghosts } from "./ghosts.ts";
import { StreamHealth } from "./health.ts";
import { recalled } from "./memory.ts";
import { couldNot, prepareStream } from "./prepare-stream.ts";
import { policyOf } from "./restart-policy.ts";
import { Session } from "./session.ts";
import { settleEnd } from "./settle-end.ts";
import { NO_STREAK, type Run, type State, isAtRest, shownState } from "./state.ts";
import type { StreamContext } from "./stream-context.ts";
import { GIVEN_UP, StartTurn } from "./start-turn.ts";
import { StateTimer } from "./state-timer.ts";
import { tell, tellHealth } from "./telling.ts";
import { timerOf, timerSettings } from "./timers.ts";
import { TrackRecord } from "./track-record.ts";
import { shiftedState } from "./shifted-state.ts";
import { transition } from "./transition.ts";
import { worldOf } from "./world.ts";

/**
 * One stream's only owner: holds its state, carries out what the transition table says, and turns what
 * happens outside into events. Commands come in as `dispatch`; nothing else changes the state.
 */
export class Supervisor {
  readonly changes: EventEmitter<Changes> = new EventEmitter<Changes>();
  state: State = { is: "stopped" };
  since: number;
  session: Session | null = null;
  readonly track: TrackRecord;
  readonly health: StreamHealth = new StreamHealth();
  /** Its place among the streams that start. */
  readonly turn: StartTurn;
  /** Forgotten, or left to the next daemon: nothing that still happens means anything. */
  #released = false;
  /** Whether `since` was read from the wall clock as it was before it was set the last time. */
  #isSinceOwn = false;
  readonly #timer: StateTimer;
  readonly #ghosts: Ghosts;
  readonly #context: StreamContext;

  constructor(context: StreamContext, memory: MemoryRecord | null) {
    this.#context = context;
    this.since = memory?.rest.since ?? context.clock.now();
    this.track = new TrackRecord(memory);
    this.#ghosts = new Ghosts(context.log, context.name);
    this.turn = new StartTurn(context.starts, context.clock);
    this.changes.setMaxListeners(0);
    this.#timer = new StateTimer(context.clock, (timer) => this.dispatch({ type: "timer", timer }));
  }

  /** Takes up the state of rest that an earlier daemon left, where nothing runs. */
  recall(rest: MemoryRecord["rest"]): void {
    const now = this.#context.clock.now();
    // A stop that was saved, and its consequences not any more.
    if (rest.is === "backoff" && this.#context.desired() !== "running") return;
    const state = recalled(rest, now, policyOf(this.#context.settings()));
    if (state !== null) this.#enter(state);
    // Nothing has begun in the future, whatever the clock was when it was written down.
    this.since = Math.min(rest.since, now);
    this.#isSinceOwn = false;
    // Saved, or each daemon after this one would put it off anew.
    if (rest.is === "backoff" && state?.is === "backoff" && state.retryAt < rest.retryAt)
      void this.remember();
  }

  /** Takes over a process that was there before; where it has ended meanwhile, its end follows as an event. */
  adopt(run: Run, contents: Contents, streak = NO_STREAK): void {
    this.#watch(run, contents, true);
    const now = this.#context.clock.now();
    const flowing = this.session?.isReporting(this.#context.monotonic(), now) === true;
    const { since } = this;
    this.dispatch({ type: "adopt", run, flowing, streak });
    // It has been on the air since before this daemon, as long as its process at most.
    this.since = Math.max(run.startedAt, Math.min(since, now));
    this.session?.checkPulse(this.#context.monotonic());
  }

  /** A process of this stream is on the air that nobody can account for: nothing is started. */
  block(why: string): void {
    this.#context.log.error({ event: "foreign" }, `${this.#context.name}: ${why}`);
    this.#enter({ is: "foreign", why, streak: NO_STREAK });
  }

  dispatch(event: Event): void {
    if (this.#released) return;
    // First: where the clock has been set, it changes the state.
    const world = worldOf(this.#context);
    const { state, effects } = transition(this.state, event, world);
    const from = this.state;
    if (event.type === "start") this.track.restarts = 0;
    // Somebody wants the hardware tried again.
    if (event.type === "start" || event.type === "restart") this.track.fallback = null;
    if (state.is === "backoff" && this.state.is !== "backoff") this.track.restarts += 1;
    if (state !== this.state) this.#enter(state);
    this.changes.emit("transition", from, event, state);
    for (const effect of effects) this.#carryOut(effect);
    void this.remember().then((safe) => (safe ? this.#tidy() : undefined));
    this.#seeHealth();
    this.changes.emit("change");
  }

  /** One look at what runs, once a tick. */
  look(connection: Connection | null | undefined): void {
    const { session } = this;
    if (session === null) return;
    const at = this.#context.monotonic();
    session.look(at, connection);
    session.evidence.judge(this.#context.settings().STALL_TIMEOUT_MS);
    if (this.state.is === "starting" && session.evidence.flowing)
      this.dispatch({ type: "flowing" });
    const stall = this.#seeHealth();
    if (stall !== null) this.dispatch({ type: "stalled", failure: stall });
    session.checkPulse(at);
  }

  /** Keeps on disk what must outlive this daemon and this boot; false, and logged, where it cannot. */
  async remember(): Promise<boolean> {
    return this.#context.remember(this.track.toMemory(this.state, this.since, this.session));
  }

  /** The wall clock was set forward by so much: what was read from it before moves with it. */
  shift(stepMs: number): void {
    if (this.#isSinceOwn) this.since += stepMs;
    this.state = shiftedState(this.state, stepMs);
    void this.remember();
  }

  /** Lets a stream that does not run stay so: nothing begins by itself any more. */
  rest(): void {
    this.#timer.cancel();
  }

  /** Ends all watching; the processes go on. */
  release(): void {
    this.#released = true;
    this.#timer.cancel();
    this.turn.end();
    this.session?.close();
    this.changes.removeAllListeners();
  }

  /** Why it must be ended, where it has stalled. */
  #seeHealth(): Failure | null {
    const { monotonic, log, name } = this.#context;
    const { change, stall } = this.health.see(this.state, this.session, monotonic());
    if (change !== null) tellHealth(log, name, change);
    if (change !== null) this.changes.emit("health", change);
    return stall;
  }

  #enter(state: State): void {
    const now = this.#context.clock.now();
    if (shownState(state) !== shownState(this.state)) {
      this.since = now;
      this.#isSinceOwn = true;
    }
    this.state = state;
    this.turn.follow(state);
    const due = timerOf(state, timerSettings(this.#context.settings()), now);
    // The end of the daemon begins nothing, and ends what it has begun.
    this.#timer.set(this.#context.draining() && due?.timer !== "escalate" ? null : due);
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case "prepare":
        void this.#prepare();
        return;
      case "recheck":
        void this.#recheck();
        return;
      case "signal":
        this.session?.signal(effect.signal);
        return;
      case "finish":
        void this.#context.finish();
        return;
      case "log":
        tell(this.#context.log, this.#context.name, effect);
        return;
      default:
        effect satisfies never;
    }
  }

  async #prepare(): Promise<void> {
    try {
      if (!(await this.turn.take(this.state))) return this.dispatch(GIVEN_UP);
      if (this.#context.draining()) throw new Error("the daemon is stopping");
      const { event, contents } = await prepareStream(this.#context, this.track);
      if (event.type === "locked" && this.#takeOver()) return;
      if (event.type === "prepared" && contents !== null) this.#watch(event.run, contents, false);
      this.dispatch(event);
    } catch (error) {
      this.dispatch(couldNot(this.#context, error));
    }
  }

  /** A process of this stream that was there already is adopted, where it can be accounted for. */
  #takeOver(): boolean {
    const left = this.#context.left();
    // What has ended was accounted for when it did.
    if (left.is !== "run" || existence(left.pids.ffmpeg) === "dead") return false;
    const overtaken = this.state.is === "stopping";
    this.adopt(runFrom(left, this.#context.clock.now()), left.contents);
    if (overtaken || this.#context.desired() === "stopped") this.dispatch({ type: "stop" });
    return true;
  }

  async #recheck(): Promise<void> {
    if (this.#takeOver()) return;
    const lock = await this.#context.lock();
    this.dispatch({ type: "rechecked", free: lock === "free" });
  }

  #watch(run: Run, contents: Contents, adopted: boolean): void {
    const { run: directory } = this.#context.places;
    this.session = new Session(run, contents, directory, adopted, (exit) => this.#exited(exit));
  }

  #exited(exit: Exit): void {
    const { session } = this;
    if (session === null) return;
    const how = settleEnd(this.#context, this.track, session, this.state, exit);
    this.session = null;
    session.close();
    this.dispatch({ type: "exited", how });
    void this.#ghosts.ended(session.evidence, how, () => {
      // The receiver knows now that nobody else is publishing.
      if (this.state.is === "backoff") this.dispatch({ type: "resume" });
    });
  }

  /** Secrets and the playlist go as soon as what the run reached is safe on disk. */
  #tidy(): void {
    if (this.session !== null) return;
    if (isAtRest(this.state)) this.#context.cleanUp("all");
    else if (this.state.is === "backoff" || this.state.is === "waiting")
      this.#context.cleanUp("run");
  }
}
