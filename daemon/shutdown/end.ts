import type { Log } from "../log/log.ts";
import type { Registry } from "../registry/registry.ts";
import { runOf } from "../supervisor/state.ts";
import type { Stream } from "../supervisor/stream.ts";

/** Ends every process in parallel, each with its own escalation; resolves when none is left. */
export const stopStreams = async (registry: Registry, log: Log): Promise<void> => {
  const running = registry.sorted().filter(hasProcess);
  log.info({ event: "stopping", streams: running.length }, `stopping ${running.length} streams`);
  // Every one of them: what waits to try again must not begin while others end.
  for (const stream of registry.sorted()) stream.halt();
  await Promise.all(running.map((stream) => untilEnded(stream)));
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
