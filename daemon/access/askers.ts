import type { Peer } from "../rpc/peer.ts";
import { type Asker, type Known, askerOf } from "./asker.ts";

/** How long a connection's word is taken for what it was. */
const KEPT_MS = 5_000;

/** Who asks on each connection, kept for moments: a client that asks for much at once is looked up once. */
export class Askers {
  readonly #known: Known;
  readonly #now: () => number;
  readonly #kept = new WeakMap<Peer, { readonly asker: Asker; readonly until: number }>();

  /** `now` is on a clock that never jumps. */
  constructor(known: Known, now: () => number) {
    this.#known = known;
    this.#now = now;
  }

  /** Null where it has to be found. */
  kept(peer: Peer | null, isNameWanted: boolean): Asker | null {
    const kept = peer === null ? undefined : this.#kept.get(peer);
    if (kept === undefined || this.#now() >= kept.until) return null;
    return isNameWanted && kept.asker.user === null ? null : kept.asker;
  }

  /** Never rejects. */
  async find(peer: Peer | null, isNameWanted: boolean): Promise<Asker> {
    const asker = await askerOf(peer, this.#known, isNameWanted);
    // Whose name was not found out is asked again.
    const isFound = asker.role === "admin" || asker.user !== null;
    if (peer !== null && isFound) this.#kept.set(peer, { asker, until: this.#now() + KEPT_MS });
    return asker;
  }
}
