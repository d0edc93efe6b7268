import type { World } from "./events.ts";
import { policyOf } from "./restart-policy.ts";
import type { StreamContext } from "./stream-context.ts";

/** What a step in a stream's life depends on beside its state, as it is now. */
export const worldOf = (context: StreamContext): World => {
  const now = context.clock.now();
  const settings = context.settings();
  return {
    now,
    random: context.random(),
    policy: policyOf(settings),
    startTimeoutMs: settings.START_TIMEOUT_MS,
    wanted: context.desired() === "running",
  };
};
