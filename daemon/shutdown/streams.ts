import type { Registry } from "../registry/registry.ts";
import { runOf } from "../supervisor/state.ts";
import type { Stream } from "../supervisor/stream.ts";
import type { StreamingService } from "./graceful-shutdown.ts";

/** The registry's streams, to be ended. */
export const streamsToEnd = (
  registry: Registry,
  /** Aborted when streams are to stop: looks at inputs that are under way end at once. */
  ending: AbortController,
  refuseCommands: () => void,
): StreamingService => {
  let hurried = false;
  const hurry = ({ supervisor }: Stream): void => {
    const { state } = supervisor;
    const isSlow = state.is === "stopping" && state.run !== null && state.force !== "kill";
    if (isSlow) supervisor.dispatch({ type: "hurry" });
  };
  return {
    refuseCommands,
    stopAll: () => {
      const running = registry.sorted().filter(hasProcess);
      // Every one of them: what waits to try again must not begin while others end.
      for (const stream of registry.sorted()) halt(stream);
      ending.abort();
      return running.length;
    },
    killAll: () => {
      if (hurried) return;
      hurried = true;
      for (const stream of registry.sorted().filter(hasProcess)) {
        // Also what is started only now, by a preparation that was under way.
        stream.supervisor.changes.on("change", () => hurry(stream));
        hurry(stream);
      }
    },
    ended: async () => {
      await Promise.all(registry.sorted().filter(hasProcess).map(untilEnded));
    },
  };
};

/** Ends the process, but not the wish to have it running. */
const halt = (stream: Stream): void => {
  if (hasProcess(stream)) stream.supervisor.dispatch({ type: "stop" });
  else stream.supervisor.rest();
};

const hasProcess = ({ supervisor: { state } }: Stream): boolean =>
  runOf(state) !== null || state.is === "preparing" || state.is === "stopping";

const untilEnded = (stream: Stream): Promise<void> =>
  new Promise((resolve) => {
    const { changes } = stream.supervisor;
    const look = (): void => {
      if (hasProcess(stream)) return;
      changes.off("change", look);
      resolve();
    };
    changes.on("change", look);
    look();
  });
