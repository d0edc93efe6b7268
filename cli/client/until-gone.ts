import type { Daemon } from "./daemon.ts";
import { pause, within } from "./pause.ts";

const PROBE_MS = 50;

/**
 * Waits until the daemon that was told to stop no longer answers, or another has taken its place.
 * False where it is still there at the deadline (Unix milliseconds). Without a pid any daemon that
 * answers counts as the old one.
 */
export const untilGone = async (
  daemon: Daemon,
  pid: number | null,
  deadline: number,
  now: () => number,
): Promise<boolean> => {
  const left = (): number => Math.max(0, deadline - now());
  // The end of the connection is the notice; what follows only makes sure.
  await within(left(), daemon.hungUp());
  for (;;) {
    const answer = await daemon.call("daemon.status", {});
    if (answer.ok && pid !== null && answer.result.pid !== pid) return true;
    if (!answer.ok && answer.failure.reason === "unreachable") return true;
    if (left() === 0) return false;
    await pause(Math.min(PROBE_MS, left()));
  }
};
