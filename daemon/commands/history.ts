import { StreamBroError } from "../../shared/errors.ts";
import type { HistoryRoom } from "../history/room.ts";
import type { Registry } from "../registry/registry.ts";
import type { Handlers } from "../rpc/server.ts";
import { noSuchStream } from "../supervisor/refusals.ts";

/** Entries that are answered with where nobody says how many. */
const USUAL = 1_000;

const instantOf = (text: string | undefined): number | null =>
  text === undefined ? null : Date.parse(text);

export const historyHandlers = (
  { history, subscribers }: Pick<HistoryRoom, "history" | "subscribers">,
  registry: Registry,
): Pick<Handlers, "history.list" | "events.subscribe"> => ({
  "history.list": async ({ names, since, until, limit = USUAL }) => {
    // A stream that was removed is remembered all the same, until that has aged out.
    for (const name of names ?? [])
      if (!registry.streams.has(name) && !history.knows(name)) throw noSuchStream(name);
    const query = { names: names ?? null, since: instantOf(since), until: instantOf(until), limit };
    return { version: 1, ...history.read(query) };
  },
  "events.subscribe": async ({ names }, { channel, gone }) => {
    if (channel === undefined)
      throw new StreamBroError("OPERATION_FAILED", "this connection cannot be told anything.");
    const chosen =
      names === undefined
        ? registry.sorted()
        : [...new Set(names)].map((name) => registry.get(name));
    subscribers.add(channel, names ?? null, gone);
    return {
      ...{ version: 1, sequence: history.sequence },
      streams: chosen.map((stream) => stream.status()),
    };
  },
});
