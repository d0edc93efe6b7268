import type { HistoryEntry } from "../../shared/contract/history.ts";

/** Who asked, as the kernel tells it; `user` null where the name could not be found out in time. */
export type By = NonNullable<HistoryEntry["by"]>;

/** Something that happened, before it has its place in the order of all that did. */
export type Happening = Pick<HistoryEntry, "stream" | "kind" | "message"> &
  Partial<Pick<HistoryEntry, "owner" | "from" | "to" | "reason" | "by" | "details">>;

/** Longest sentence that is kept. */
const MOST_CHARACTERS = 1_000;

/** An entry of it: `at` in Unix milliseconds. */
export const entryOf = (happening: Happening, id: number, at: number): HistoryEntry => {
  const { message } = happening;
  return {
    ...{ id, at: new Date(at).toISOString() },
    ...{ owner: null, from: null, to: null, reason: null, by: null, details: {} },
    ...happening,
    message: message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message,
    skipped: 0,
  };
};
