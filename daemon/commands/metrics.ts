import type { Metering } from "../metrics/metering.ts";
import type { GuardedHandlers } from "../access/guard.ts";

export const metricHandlers = (
  metering: Pick<Metering, "both">,
): Pick<GuardedHandlers, "daemon.metrics"> => ({
  "daemon.metrics": async () => ({ version: 1, ...(await metering.both()) }),
});
