import type { StreamState } from "../../shared/states.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { Pids } from "../runner/run-record.ts";
import type { Streak } from "../store/schemas.ts";

/** One FFmpeg and what is known of it. */
export type Run = { readonly pids: Pids; readonly startedAt: number };

/** What a stop leads to when the process has ended; `start` was asked for by an operator. */
export type Next = "rest" | "start" | "resume";

/**
 * What a stream is doing. Each state holds what is valid in it and nothing else: only a state with a
 * process has a run, only `backoff` has a time to try again.
 */
export type State =
  | { readonly is: "stopped" }
  /** Played to its end, and not asked to loop. */
  | { readonly is: "finished" }
  | { readonly is: "failed"; readonly failure: Failure }
  | {
      readonly is: "backoff";
      readonly failure: Failure;
      readonly streak: Streak;
      readonly retryAt: number;
    }
  /** Should run, and holds no slot: a limit leaves no room. */
  | { readonly is: "waiting"; readonly why: string; readonly streak: Streak }
  /** Looking at the input and laying out the run directory; no process yet. */
  | { readonly is: "preparing"; readonly streak: Streak; readonly byOperator: boolean }
  | { readonly is: "starting"; readonly run: Run; readonly streak: Streak }
  | { readonly is: "live"; readonly run: Run; readonly streak: Streak }
  /** `run` is null while a preparation that was overtaken by the stop is still under way. */
  | {
      readonly is: "stopping";
      readonly run: Run | null;
      readonly next: Next;
      readonly force: "no" | "again" | "kill";
      /** Why it is being stopped, where that was a failure: a start that took too long. */
      readonly failure: Failure | null;
      readonly streak: Streak;
    }
  /** Somebody else's process holds this stream's lock. It is left alone, and nothing is started. */
  | { readonly is: "foreign"; readonly why: string; readonly streak: Streak };

export const NO_STREAK: Streak = { attempt: 0, outageSince: null, kills: [] };

/** The run of a state that has one. */
export const runOf = (state: State): Run | null =>
  state.is === "starting" || state.is === "live" || state.is === "stopping" ? state.run : null;

/** The word that people and programs read. */
export const shownState = (state: State): StreamState =>
  state.is === "preparing" ? "starting" : state.is;

/** Counts towards the limits: a process that runs, will soon run again, or is still to end. */
export const holdsSlot = (state: State): boolean => !isAtRest(state) && state.is !== "waiting";

/** At rest: nothing runs, and nothing will by itself. */
export const isAtRest = (state: State): boolean =>
  state.is === "stopped" || state.is === "finished" || state.is === "failed";
