import { until } from "../helpers/until.ts";
import { DAEMON_START_MS, STARTED_PROGRAMS } from "./bounds.ts";
import type { Stage } from "./stage.ts";

/** Longest that anything is waited for before the suite gives up. */
const PATIENCE_MS = 60_000;

/** Starts the daemon that was ended, and waits until it answers; too long a wait is a violation. */
export const bringBack = async ({ daemon, violations, machine }: Stage): Promise<void> => {
  const began = performance.now();
  try {
    await daemon.start();
  } catch (error) {
    if (!daemon.running()) throw error;
    await until("streambrod answers", () => daemon.rpc("daemon.status", {}), PATIENCE_MS);
  }
  const tookMs = Math.round(performance.now() - began);
  if (tookMs > DAEMON_START_MS + machine.allowance(STARTED_PROGRAMS))
    violations.broken("daemon-alive", `took ${tookMs} ms to answer after its start`, "start");
};

/** Kills the daemon, does what is to be done without one, and starts it again. */
export const withoutDaemon = async (
  stage: Stage,
  work: () => Promise<unknown> | void = () => {},
): Promise<void> => {
  const back = stage.times.away();
  try {
    await stage.daemon.kill("SIGKILL");
    await work();
  } finally {
    await bringBack(stage);
    back();
  }
};
