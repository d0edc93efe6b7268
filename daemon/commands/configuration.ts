import { StreamBroError } from "../../shared/errors.ts";
import type { LiveSettings } from "../config/live.ts";
import { reloadSettings } from "../config/reload.ts";
import type { Log } from "../log/log.ts";
import type { GuardedHandlers } from "../access/guard.ts";

/** Errors: INVALID_SETTING with `errors`, every sentence; the settings are as they were then. */
export const configurationHandlers = (
  live: LiveSettings,
  log: Log,
  open: () => void,
): Pick<GuardedHandlers, "daemon.config" | "daemon.reload"> => ({
  "daemon.config": async () => live.describe(),
  "daemon.reload": async () => {
    open();
    const outcome = reloadSettings(live, log, "daemon.reload");
    if (!outcome.ok) {
      const { errors } = outcome;
      const message = `The settings are kept as they were: ${errors.join(" ")}`;
      throw new StreamBroError("INVALID_SETTING", message, { errors });
    }
    const { changed, needsRestart } = outcome;
    return { version: 1, changed, needsRestart };
  },
});
