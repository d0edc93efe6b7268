import type { Streak } from "../store/schemas.ts";
import type { Run, State } from "./state.ts";

/** The same state on a wall clock that was set forward by so much: every time in it moves with it. */
export const shiftedState = (state: State, stepMs: number): State => {
  const streak = (before: Streak): Streak => ({
    ...before,
    outageSince: before.outageSince === null ? null : before.outageSince + stepMs,
    kills: before.kills.map((at) => at + stepMs),
  });
  const run = (before: Run): Run => ({ ...before, startedAt: before.startedAt + stepMs });
  switch (state.is) {
    case "stopped":
    case "finished":
    case "failed":
      return state;
    case "backoff":
      return { ...state, retryAt: state.retryAt + stepMs, streak: streak(state.streak) };
    case "waiting":
    case "preparing":
    case "foreign":
      return { ...state, streak: streak(state.streak) };
    case "starting":
    case "live":
      return { ...state, run: run(state.run), streak: streak(state.streak) };
    case "stopping":
      return {
        ...state,
        run: state.run === null ? null : run(state.run),
        streak: streak(state.streak),
      };
    default:
      return state satisfies never;
  }
};
