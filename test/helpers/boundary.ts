import type { Daemon } from "./daemon.ts";
import { until } from "./until.ts";

/**
 * Waits until every running stream is in the middle of its film. FFmpeg opens its playlist at a loop
 * boundary: where the runtime directory is wiped while no daemon is there, it must not come to one.
 */
export const awayFromBoundary = (daemon: Daemon): Promise<unknown> =>
  until(
    "no loop boundary is near",
    async () =>
      (await daemon.rpc("stream.status", {})).streams.every(
        ({ pid, position }) =>
          pid === null ||
          (position !== null && position.durationMs - position.ms > position.durationMs / 2),
      ),
    60_000,
  );
