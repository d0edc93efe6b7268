import type { StreamStatus } from "../../shared/contract/status.ts";
import { ownerOf } from "../registry/owner-of.ts";
import type { Registry } from "../registry/registry.ts";
import { statusesOf } from "../registry/statuses.ts";
import type { Asker } from "./asker.ts";
import { reduced } from "./reduced.ts";

/** What of a stream somebody may see; of what is `none` it must not be known that it is there. */
export type Seen = "whole" | "reduced" | "none";

/** What there is to be seen. */
export type Scene = {
  readonly registry: Registry;
  /** Whether users see that there are others' streams. */
  readonly showsOthers: () => boolean;
  /** Whether the history has something of a stream of that name, when it was this owner's. */
  readonly remembers: (name: string, owner: string) => boolean;
};

/** The daemon's streams as one asker sees them just now. */
export type Sight = {
  readonly asker: Asker;
  readonly isAdmin: boolean;
  /** Whether others' streams are not to be known of. */
  readonly hidesOthers: boolean;
  /** Null where there is no stream of that name. */
  ownerOf(name: string): string | null;
  isOwn(owner: string | null): boolean;
  of(owner: string): Seen;
  /** The same streams as they may be seen. */
  statuses(all: readonly StreamStatus[]): StreamStatus[];
  /** Every stream, as it may be seen. */
  everything(): StreamStatus[];
  /** Whether there was a stream of that name, and it was this asker's. */
  remembers(name: string): boolean;
};

export const sightOf = (asker: Asker, { registry, showsOthers, remembers }: Scene): Sight => {
  const isAdmin = asker.role === "admin";
  const hidesOthers = !isAdmin && !showsOthers();
  const isOwn = (owner: string | null): boolean => owner !== null && owner === asker.user;
  const of = (owner: string): Seen =>
    isAdmin || isOwn(owner) ? "whole" : hidesOthers ? "none" : "reduced";
  const statuses = (all: readonly StreamStatus[]): StreamStatus[] =>
    all.flatMap((stream) => {
      const seen = of(stream.owner);
      return seen === "none" ? [] : [seen === "whole" ? stream : reduced(stream)];
    });
  return {
    ...{ asker, isAdmin, hidesOthers, isOwn, of, statuses },
    ownerOf: (name) => ownerOf(registry, name),
    everything: () => statuses(statusesOf(registry)),
    remembers: (name) => asker.user !== null && remembers(name, asker.user),
  };
};
