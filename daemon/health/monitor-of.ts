import type { Clock } from "../clock/clock.ts";
import type { Settings } from "../config/settings.ts";
import { ResourceMonitor } from "./resource-monitor.ts";

/** A monitor that goes by the settings as they are at each sweep. */
export const monitorOf = (
  settings: () => Settings,
  clock: Clock,
  monotonic: () => number,
): ResourceMonitor =>
  new ResourceMonitor(
    () => settings().RESOURCE_WARNING_CPU_PERCENT,
    () => settings().RESOURCE_WARNING_MEMORY_MB,
    {
      ...{ clock, monotonic },
      intervalMs: () => settings().RESOURCE_MONITOR_INTERVAL_MS,
      breachMs: () => settings().RESOURCE_BREACH_MS,
      enabled: () => settings().MONITOR_ENABLED,
    },
  );
