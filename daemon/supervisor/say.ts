import type { Log } from "../log/log.ts";
import type { Effect } from "./events.ts";

type Said = Extract<Effect, { do: "log" }>;

/** Writes one step of a stream's life into the daemon's log. */
export const say = (
  { log, name }: { readonly log: Log; readonly name: string },
  effect: Said,
): void => log[effect.level]({ event: effect.event }, worded(name, effect));

/** The design document words this one event, and people search for it. */
const worded = (name: string, { event, sentence }: Said): string =>
  event === "FORCE_KILL_REQUIRED" ? `Stream ${name} ${sentence}` : `${name}: ${sentence}`;
