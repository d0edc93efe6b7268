import type { Log } from "../log/log.ts";
import type { Change, LiveSettings, Reloading } from "./live.ts";
import { inFile, settingNamed } from "./names.ts";

/** Reads the settings again and logs what came of it. */
export const reloadSettings = (live: LiveSettings, log: Log, asked: string): Reloading => {
  const outcome = live.reload();
  if (!outcome.ok) {
    const { errors } = outcome;
    log.error(
      { event: "reload", asked, errors },
      `settings: kept as they were: ${errors.join(" ")}`,
    );
    return outcome;
  }
  const { changed, needsRestart } = outcome;
  const parts = [
    ...changed.map(worded),
    ...needsRestart.map((change) => `${worded(change)} needs a restart of the daemon`),
  ];
  const sentence = `settings: ${parts.length === 0 ? "read again, nothing changed" : parts.join("; ")}`;
  log.info({ event: "reload", asked, changed, needsRestart }, sentence);
  return outcome;
};

const worded = ({ name, from, to }: Change): string => {
  const setting = settingNamed(name);
  return `${setting === undefined ? name : inFile(setting)} ${shown(from)} -> ${shown(to)}`;
};

const shown = (value: Change["from"]): string => (value === "" ? '""' : String(value));
