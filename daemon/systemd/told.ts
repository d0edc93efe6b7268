import { performance } from "node:perf_hooks";
import type { Environment } from "../../shared/paths.ts";
import type { LiveSettings } from "../config/live.ts";
import type { Log } from "../log/log.ts";
import { tryDurably } from "../store/atomic-file.ts";
import { isBeingRestarted } from "./job.ts";
import { notifierOf } from "./notify.ts";
import { SystemdService } from "./service.ts";

/** Null where no service manager waits to be told, and where it cannot be: then the log says so. */
export const systemdService = async (
  env: Environment,
  settings: LiveSettings,
  log: Log,
): Promise<SystemdService | null> => {
  const notifying = await notifierOf(env);
  if (notifying.is === "unable") log.error({ event: "start-up" }, notifying.message);
  if (notifying.is !== "able") return null;
  const monotonic = (): number => performance.now();
  const { notifier } = notifying;
  const means = { tryDisk: tryDurably, isRestart: () => isBeingRestarted() };
  return new SystemdService({ notifier, log, settings, monotonic, ...means });
};
