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

/** The daemon's streams as one asker sees them just now. Many wait at once for what they have asked: it is small. */
export class Sight {
  readonly asker: Asker;
  /** Whether others' streams are not to be known of. */
  readonly hidesOthers: boolean;
  readonly #scene: Scene;

  constructor(asker: Asker, scene: Scene) {
    this.asker = asker;
    this.#scene = scene;
    this.hidesOthers = asker.role === "user" && !scene.showsOthers();
  }

  get isAdmin(): boolean {
    return this.asker.role === "admin";
  }

  /** Null where there is no stream of that name. */
  ownerOf(name: string): string | null {
    return ownerOf(this.#scene.registry, name);
  }

  isOwn(owner: string | null): boolean {
    return owner !== null && owner === this.asker.user;
  }

  of(owner: string): Seen {
    if (this.isAdmin || this.isOwn(owner)) return "whole";
    return this.hidesOthers ? "none" : "reduced";
  }

  /** The same streams as they may be seen. */
  statuses(all: readonly StreamStatus[]): StreamStatus[] {
    return all.flatMap((stream) => {
      const seen = this.of(stream.owner);
      return seen === "none" ? [] : [seen === "whole" ? stream : reduced(stream)];
    });
  }

  /** Every stream, as it may be seen. */
  everything(): StreamStatus[] {
    return this.statuses(statusesOf(this.#scene.registry));
  }

  /** Whether there was a stream of that name, and it was this asker's. */
  remembers(name: string): boolean {
    const { user } = this.asker;
    return user !== null && this.#scene.remembers(name, user);
  }
}
