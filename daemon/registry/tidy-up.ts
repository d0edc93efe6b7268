import type { CleanupManager } from "../cleanup/cleanup-manager.ts";
import { isAtRest } from "../supervisor/state.ts";
import type { Registry } from "./registry.ts";

/** Clears away what streams at rest have left: old logs, and what could not be removed before. */
export const tidyUp = (registry: Registry, cleanup: CleanupManager): void => {
  const resting = registry.sorted().filter(({ supervisor }) => isAtRest(supervisor.state));
  void cleanup.cleanupOldLogs(resting.map(({ spec }) => spec.name));
  void registry.clearResting();
};
