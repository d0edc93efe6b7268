import type { Event } from "./events.ts";
import type { HealthChange } from "./health.ts";
import type { State } from "./state.ts";

/** What a supervisor tells those who listen. */
export type Changes = {
  /** After each step, whatever it was. */
  change: [];
  transition: [from: State, event: Event, to: State];
  health: [change: HealthChange];
};
