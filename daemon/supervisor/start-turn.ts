import type { Clock } from "../clock/clock.ts";
import type { Event } from "./events.ts";
import type { Rank, StartGate, Turn } from "./start-gate.ts";
import type { State } from "./state.ts";

/** What FFmpeg takes to load, to open its input and to connect, where nothing keeps it from that. */
const LAUNCHED_MS = 250;

/** One stream's turn among those that start, taken when it prepares and given back by itself. */
export class StartTurn {
  readonly #gate: StartGate;
  readonly #clock: Clock;
  #turn: Turn | null = null;
  #isQueued = false;
  /** Since its last turn. */
  #wasOnAir = false;
  #cancel: () => void = () => {};

  constructor(gate: StartGate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  /** Resolves when the stream may begin; false where it was given up before that. */
  async take(state: State): Promise<boolean> {
    this.#leave();
    const turn = this.#gate.enter(rankOf(state, this.#wasOnAir));
    this.#turn = turn;
    this.#wasOnAir = false;
    this.#isQueued = true;
    const came = await turn.came;
    if (this.#turn === turn) this.#isQueued = false;
    return came;
  }

  /** It prepares, and has not begun to: it waits for others, and nothing of it is on its way. */
  get isQueued(): boolean {
    return this.#isQueued;
  }

  /** How many begin before it; null where it does not wait. */
  get ahead(): number | null {
    return this.#turn?.ahead() ?? null;
  }

  hurry(): void {
    this.#turn?.hurry();
  }

  /** Gives the turn back when the state says that the work for it is done, or not wanted. */
  follow(state: State): void {
    if (state.is === "live") this.#wasOnAir = true;
    if (this.#turn === null || state.is === "preparing") return;
    if (state.is === "starting") {
      this.#cancel();
      this.#cancel = this.#clock.after(LAUNCHED_MS, () => this.#leave());
      return;
    }
    // What was stopped while it was being prepared is still at work.
    const isOvertaken = state.is === "stopping" && state.run === null;
    if (!isOvertaken || this.#turn.ahead() !== null) this.#leave();
  }

  /** Nothing of the stream is wanted any more. */
  end(): void {
    this.#leave();
  }

  #leave(): void {
    this.#cancel();
    this.#turn?.leave();
    this.#turn = null;
    this.#isQueued = false;
  }
}

/** It was stopped while it waited for its turn. */
export const GIVEN_UP: Event = {
  type: "unprepared",
  failure: { reason: "stopped", permanent: false, message: "it was stopped before its turn came" },
};

const rankOf = (state: State, wasOnAir: boolean): Rank => {
  if (state.is === "preparing" && state.byOperator) return "asked";
  if (wasOnAir) return "returning";
  return state.is === "preparing" && state.streak.attempt === 0 ? "fresh" : "again";
};
