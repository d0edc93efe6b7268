import { type State, isAtRest } from "./state.ts";
import type { Supervisor } from "./supervisor.ts";

/** Resolves with the state in which nothing of the stream runs any more, or nothing that is ours to end. */
export const untilAtRest = (supervisor: Supervisor): Promise<State> =>
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
