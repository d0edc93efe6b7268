import type { MemoryRecord, RunRecord } from "../store/schemas.ts";
import type { State } from "./state.ts";

/** What the next daemon must know of a state; `record` is that of the run, where there is one. */
export const restOf = (
  state: State,
  since: number,
  record: RunRecord | null,
): MemoryRecord["rest"] => {
  switch (state.is) {
    case "stopped":
    case "finished":
      return { is: state.is, since };
    // The next daemon asks for a slot itself.
    case "waiting":
      return { is: "stopped", since };
    case "failed":
      return { is: "failed", since, failure: state.failure };
    case "backoff":
      return { ...state, since };
    case "preparing":
    case "starting":
    case "live":
    case "stopping":
    case "foreign":
      return { is: "running", since, streak: state.streak, run: record };
  }
};

/** The state of rest that an earlier daemon left; null for stopped, and where something ran. */
export const stateOf = (rest: MemoryRecord["rest"], latestRetry: number): State | null => {
  switch (rest.is) {
    case "backoff":
      // A clock that jumped must not keep a stream off the air.
      return { ...rest, retryAt: Math.min(rest.retryAt, latestRetry) };
    case "failed":
      return { is: "failed", failure: rest.failure };
    case "finished":
      return { is: "finished" };
    case "stopped":
    case "running":
      return null;
  }
};
