import type { StreamState } from "../../shared/states.ts";

/** What should be on the air, in words; then what somebody has to look at. */
const ON_THE_AIR: readonly (readonly [StreamState, string])[] = [
  ["live", "live"],
  ["starting", "starting"],
  ["backoff", "in backoff"],
  ["waiting", "waiting"],
  ["stopping", "stopping"],
];
const TROUBLED: readonly (readonly [StreamState, string])[] = [
  ["failed", "failed"],
  ["foreign", "foreign"],
];

/** All streams in one line, such as `3 live, 1 in backoff; 1 foreign; 2 warnings: see ...`. */
export const statusLine = (
  states: readonly StreamState[],
  warnings: number,
  trouble: string | null,
): string => {
  const count = (wanted: StreamState): number => states.filter((one) => one === wanted).length;
  const told = (which: typeof ON_THE_AIR): string =>
    which
      .filter(([state]) => count(state) > 0)
      .map(([state, word]) => `${count(state)} ${word}`)
      .join(", ");
  const none = states.length === 0 ? "no streams" : "nothing on the air";
  const some = `${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  const parts = [
    told(ON_THE_AIR) || none,
    told(TROUBLED),
    trouble ?? "",
    warnings === 0 ? "" : `${some}: see streambro daemon status`,
  ];
  return parts.filter((part) => part !== "").join("; ");
};
