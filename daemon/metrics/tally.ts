import type { Tracks } from "../../shared/contract/status.ts";
import type { Event } from "../supervisor/events.ts";
import type { State } from "../supervisor/state.ts";
import type { Metrics } from "./metrics.ts";

/** Whose stream moved, and with which tracks; looked at only where they matter. */
export type Mover = { readonly owner: string; readonly tracks: () => Tracks | null };

/** Counts what one step in a stream's life amounts to. */
export const tally = (
  metrics: Metrics,
  { owner, tracks }: Mover,
  from: State,
  event: Event,
  to: State,
): void => {
  if (event.type === "prepared" && from !== to) metrics.streamStarted(owner, tracks());
  if (event.type === "flowing" && from.is === "starting" && to.is === "live")
    metrics.streamOnAir(owner);
  if (to.is === "stopping" && to.force === "kill" && !wasKilled(from)) metrics.forceKilled(owner);
  const failed = (to.is === "backoff" || to.is === "failed") && from.is !== to.is;
  if (failed) metrics.streamFailed(owner, to.failure.reason);
  else if (event.type === "exited" && from !== to) metrics.streamStopped(owner);
  // As `restarts` in a stream's status counts.
  if (to.is === "backoff" && from.is !== "backoff") metrics.streamRestarted(owner);
};

const wasKilled = (state: State): boolean => state.is === "stopping" && state.force === "kill";
