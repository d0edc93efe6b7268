import type { Metering } from "../metrics/metering.ts";
import type { Handlers } from "../rpc/server.ts";

export const metricHandlers = (
  metering: Pick<Metering, "both">,
): Pick<Handlers, "daemon.metrics"> => ({
  "daemon.metrics": async () => ({ version: 1, ...(await metering.both()) }),
});
