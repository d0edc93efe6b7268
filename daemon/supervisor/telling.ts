import type { Log } from "../log/log.ts";
import type { Effect } from "./events.ts";
import type { HealthChange } from "./health.ts";

/** Writes a line that a step of the transition table asks for. */
export const tell = (
  log: Log,
  name: string,
  { level, event, sentence }: Extract<Effect, { do: "log" }>,
): void => {
  // The design document words this one event, and people search for it.
  const worded =
    event === "FORCE_KILL_REQUIRED" ? `Stream ${name} ${sentence}` : `${name}: ${sentence}`;
  log[level]({ event }, worded);
};

/** Says that a stream's health is another one, where no step in its life says so. */
export const tellHealth = (log: Log, name: string, { from, to }: HealthChange): void => {
  const event = "health";
  const { health, looks } = to;
  // The step that follows says what is done about it; these are the figures for whoever doubts it.
  if (looks !== undefined)
    log.info({ event, health, looks }, `${name}: ${health}: ${to.why ?? ""}`);
  if (health === "congested") log.warn({ event, health }, `${name}: congested: ${to.why ?? ""}`);
  else if (health === "delivering" && from.health === "congested")
    log.info({ event, health }, `${name}: delivering again without delay`);
};
