import type { Metering } from "../metrics/metering.ts";
import type { Handlers } from "../rpc/server.ts";

export const metricHandlers = (
  metering: Pick<Metering, "data" | "text">,
): Pick<Handlers, "daemon.metrics"> => ({
  "daemon.metrics": async () => ({
    version: 1,
    metrics: await metering.data(),
    text: await metering.text(),
  }),
});
