import { setImmediate } from "node:timers/promises";
import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { Result } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";
import { boundedAs } from "../access/asker.ts";
import { mayRead } from "../access/rights.ts";
import type { Query } from "../history/archive.ts";
import type { HistoryRoom } from "../history/room.ts";
import type { Registry } from "../registry/registry.ts";
import { statusesOf } from "../registry/statuses.ts";
import type { GuardedHandlers } from "../access/guard.ts";
import { noSuchStream } from "../supervisor/refusals.ts";

/** Entries that are answered with where nobody says how many. */
const USUAL = 1_000;

const instantOf = (text: string | undefined): number | null =>
  text === undefined ? null : Date.parse(text);

/** Read at once without letting others have their turn; that takes some milliseconds. */
const PIECE = 1_000;

type Read = Pick<Result<"history.list">, "entries" | "more">;

const isThere = ({ streams, leftAlone }: Registry, name: string): boolean =>
  streams.has(name) || leftAlone.has(name);

const inPieces = async (query: Query, read: (piece: Query) => Read): Promise<Read> => {
  const pieces: Read["entries"][] = [];
  let left = query.limit;
  let before: { before?: number } = {};
  for (;;) {
    const { entries, more } = read({ ...query, ...before, limit: Math.min(PIECE, left) });
    pieces.unshift(entries);
    left -= entries.length;
    const [first] = entries;
    if (!more || left <= 0 || first === undefined) return { entries: pieces.flat(), more };
    before = { before: first.id };
    await setImmediate();
  }
};

/** Numbers that are looked through at once for the few that are one owner's; that takes some milliseconds too. */
const STRETCH = 20_000;

/** The same, where most of what there is may have to be passed over. */
const inStretches = async (
  query: Query,
  newest: number,
  read: (piece: Query) => Read,
): Promise<Read> => {
  const pieces: Read["entries"][] = [];
  // One more than is wanted: whether there is more.
  let left = query.limit + 1;
  let before = newest + 1;
  while (before > 0 && left > 0) {
    const from = Math.max(0, before - STRETCH);
    const { entries, more } = read({ ...query, before, from, limit: Math.min(PIECE, left) });
    pieces.unshift(entries);
    left -= entries.length;
    before = more ? (entries[0]?.id ?? from) : from;
    await setImmediate();
  }
  const found = pieces.flat();
  return { entries: found.slice(-query.limit), more: found.length > query.limit };
};

export const historyHandlers = (
  { history, subscribers }: Pick<HistoryRoom, "history" | "subscribers">,
  registry: Registry,
): Pick<GuardedHandlers, "history.list" | "events.subscribe"> => ({
  "history.list": async ({ names, since, until, limit = USUAL }, { sight }) => {
    // A stream that was removed is remembered all the same, until that has aged out.
    for (const name of new Set(names))
      if (!isThere(registry, name) && !history.knows(name)) throw noSuchStream(name);
    const span = { since: instantOf(since), until: instantOf(until), limit };
    const owner = sight.isAdmin ? null : sight.asker.user;
    const query = { names: names ?? null, owner, ...span };
    const read = (piece: Query): Read => history.read(piece);
    const found =
      owner === null ? inPieces(query, read) : inStretches(query, history.sequence, read);
    return { version: 1, ...(await found) };
  },
  "events.subscribe": async ({ names }, { channel, gone, sight }) => {
    if (channel === undefined)
      throw new StreamBroError("OPERATION_FAILED", "this connection cannot be told anything.");
    const streams = statusesOf(registry, names);
    const mayHear = ({ stream, owner }: HistoryEntry): boolean => mayRead(sight, stream, owner);
    const uid = sight.isAdmin ? null : boundedAs(sight.asker);
    subscribers.add({ channel, names: names ?? null, uid, mayHear }, gone);
    return { version: 1, sequence: history.sequence, streams };
  },
});
