import type { Peer } from "./peer.ts";

/** Bytes of answers that one may leave untaken, over all of its connections, before further ones are refused. */
const MOST_UNTAKEN = 32 * 1024 * 1024;
/** Messages of one that wait to be begun; past that, those of connections that have gone are forgotten. */
const MOST_WAITING = 1_000;

/** Why no more is answered just now. */
export const ANSWERS_LEFT =
  "you have left too many answers unread: read them, or end those connections, and ask again.";

/** A user; a connection where nobody can be told apart, or is not to be held to what others do. */
type Key = number | symbol;
type Standing = { readonly key: Key; users: number; untaken: number; readonly waiting: Work[] };
type Work = { readonly begin: () => void; readonly forget: () => void; readonly gone: AbortSignal };

/** What one connection may take of the daemon. */
export type Share = {
  /** Begins it when it is this user's turn; null where nobody is there any more and too much waits. */
  readonly begin: <T>(work: () => Promise<T>) => Promise<T | null>;
  /** Something of this connection is still to be begun. */
  readonly isWaiting: () => boolean;
  /** So many bytes of answers were made, or taken where it is negative. */
  readonly hold: (bytes: number) => void;
  /** Too many answers were not taken: what asks for more has to be refused. */
  readonly isFull: () => boolean;
};

/**
 * Messages are begun in turns, a user after the other, however many one of them sends; and what has been
 * answered to one and not been taken is bounded.
 */
export class Shares {
  readonly #isSpared: (uid: number) => boolean;
  /** In the order of their turns. */
  readonly #standings = new Map<Key, Standing>();
  #isDue = false;

  constructor(
    isSpared: (uid: number) => boolean = (uid) => uid === 0 || uid === process.geteuid?.(),
  ) {
    this.#isSpared = isSpared;
  }

  /** `gone` when the connection has ended; `onBegun` is told when nothing of it waits any more. */
  of(peer: Peer | null, gone: AbortSignal, onBegun: () => void = () => {}): Share {
    const key = peer === null || this.#isSpared(peer.uid) ? Symbol("connection") : peer.uid;
    const standing = this.#standings.get(key) ?? { key, users: 0, untaken: 0, waiting: [] };
    this.#standings.set(key, standing);
    standing.users += 1;
    gone.addEventListener("abort", () => {
      standing.users -= 1;
      this.#forgetIdle(standing);
    });
    let pending = 0;
    const came = (): void => {
      pending -= 1;
    };
    return {
      begin: (work) =>
        new Promise((resolve, reject) => {
          const begin = (): void => {
            came();
            work().then(resolve, reject);
            if (pending === 0) onBegun();
          };
          const forget = (): void => {
            came();
            resolve(null);
          };
          pending += 1;
          standing.waiting.push({ begin, gone, forget });
          this.#soon();
        }),
      isWaiting: () => pending > 0,
      hold: (bytes) => void (standing.untaken += bytes),
      isFull: () => standing.untaken > MOST_UNTAKEN,
    };
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#work();
    });
  }

  /** One at a time, and everything else in the daemon between two; whoever it was is the last to be next. */
  #work(): void {
    for (const standing of this.#standings.values()) {
      if (standing.waiting.length === 0) continue;
      this.#standings.delete(standing.key);
      this.#standings.set(standing.key, standing);
      this.#beginNext(standing);
      return this.#soon();
    }
  }

  #beginNext(standing: Standing): void {
    const isCrowded = standing.waiting.length > MOST_WAITING;
    const next = standing.waiting.shift();
    if (isCrowded && next?.gone.aborted === true) next.forget();
    else next?.begin();
    this.#forgetIdle(standing);
  }

  #forgetIdle({ key, users, waiting }: Standing): void {
    if (users === 0 && waiting.length === 0) this.#standings.delete(key);
  }
}
