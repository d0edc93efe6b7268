import { type RestartPolicy, longestDelayMs } from "./restart-policy.ts";
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

/**
 * The state of rest that an earlier daemon left; null where there is nothing to enter. A clock that was
 * set back must not keep a stream off the air for longer than any delay.
 */
export const recalled = (
  rest: MemoryRecord["rest"],
  now: number,
  policy: RestartPolicy,
): State | null => {
  switch (rest.is) {
    case "backoff":
      return {
        ...rest,
        retryAt: Math.min(
          rest.retryAt,
          now + longestDelayMs(rest.failure, rest.streak, policy, now),
        ),
      };
    case "failed":
      return { is: "failed", failure: rest.failure };
    case "finished":
      return { is: "finished" };
    case "stopped":
    case "running":
      return null;
    default:
      return rest satisfies never;
  }
};
