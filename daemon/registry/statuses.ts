import type { StreamStatus } from "../../shared/contract/status.ts";
import { STREAM_STATES, type StreamState } from "../../shared/states.ts";
import { shownState } from "../supervisor/state.ts";
import type { Registry } from "./registry.ts";

/**
 * All streams in the order of their names, those that are left alone too, or those of the names in their
 * order. Errors: STREAM_NOT_FOUND.
 */
export const statusesOf = (registry: Registry, names?: readonly string[]): StreamStatus[] => {
  const { leftAlone } = registry;
  if (names === undefined) {
    const all = [...registry.sorted().map((one) => one.status()), ...leftAlone.statuses()];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  return [...new Set(names)].flatMap((name) => {
    const left = leftAlone.statuses(new Set([name]));
    return left.length > 0 ? left : [registry.get(name).status()];
  });
};

export const countStates = (streams: readonly StreamStatus[]): Record<StreamState, number> => {
  const counts = Object.fromEntries(STREAM_STATES.map((state) => [state, 0])) as Record<
    StreamState,
    number
  >;
  for (const stream of streams) counts[stream.state] += 1;
  return counts;
};

/** The states of the same, at next to no cost. */
export const shownStates = ({ streams, leftAlone }: Registry): StreamState[] => [
  ...[...streams.values()].map(({ supervisor }) => shownState(supervisor.state)),
  ...leftAlone.statuses().map(({ state }) => state),
];
