import { Subordinates } from "../users/subordinate.ts";
import type { Peer } from "./peer.ts";

/** Connections that are served at once; so many of one user; and of all users that are not spared. */
export const MOST_CONNECTIONS = 512;
const MOST_OF_ONE = 64;
const MOST_OF_USERS = MOST_CONNECTIONS - 32;
/** Connections that are told at once why they are not served; others are only closed. */
const MOST_TOLD = 8;

/** `why` null: it is to be closed without a word. `leave` is to be called when it has ended. */
export type Entered =
  | { readonly ok: true; readonly leave: () => void }
  | { readonly ok: false; readonly why: string | null; readonly leave: () => void };

/** Counts connections by user, so that one user leaves room for others, and all of them for root. */
export class Crowd {
  readonly #isSpared: (uid: number) => boolean;
  readonly #subordinates: Pick<Subordinates, "countedAs">;
  readonly #served = new Map<number, number>();
  #all = 0;
  #told = 0;

  /** Who is spared is bounded by nothing but the number of all connections. */
  constructor(
    isSpared: (uid: number) => boolean = (uid) => uid === 0 || uid === process.geteuid?.(),
    subordinates: Pick<Subordinates, "countedAs"> = new Subordinates(),
  ) {
    this.#isSpared = isSpared;
    this.#subordinates = subordinates;
  }

  enter(peer: Peer | null): Entered {
    if (peer === null || this.#isSpared(peer.uid)) return { ok: true, leave: () => {} };
    const uid = this.#subordinates.countedAs(peer.uid);
    const own = this.#served.get(uid) ?? 0;
    if (own >= MOST_OF_ONE)
      return this.#refuse(`you have ${own} connections to the daemon already: end one of them.`);
    if (this.#all >= MOST_OF_USERS)
      return this.#refuse(
        "the daemon has as many connections as it serves at once. Try again later.",
      );
    this.#count(uid, 1);
    return { ok: true, leave: () => this.#count(uid, -1) };
  }

  #refuse(why: string): Entered {
    if (this.#told >= MOST_TOLD) return { ok: false, why: null, leave: () => {} };
    this.#told += 1;
    const leave = (): void => {
      this.#told -= 1;
    };
    return { ok: false, why, leave };
  }

  #count(uid: number, by: number): void {
    const count = (this.#served.get(uid) ?? 0) + by;
    this.#all += by;
    if (count > 0) this.#served.set(uid, count);
    else this.#served.delete(uid);
  }
}
