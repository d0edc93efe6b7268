import { StreamBroError } from "../../shared/errors.ts";

type Standing = { underWay: number; readonly waiting: Set<() => void> };

/**
 * Lets so many things of one user be under way at a time; further ones wait for those, and nobody else
 * does. What waits goes with the connection that asked for it, and so is bounded by the connections that
 * a user may have.
 */
export class Turns {
  readonly #most: number;
  readonly #standings = new Map<number, Standing>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Carries it out when its turn has come. Errors: OPERATION_FAILED where nobody waits for it then. */
  async take<T>(uid: number, gone: AbortSignal, work: () => Promise<T>): Promise<T> {
    const standing = this.#standings.get(uid) ?? { underWay: 0, waiting: new Set() };
    this.#standings.set(uid, standing);
    if (standing.underWay < this.#most) standing.underWay += 1;
    // Whoever is done hands its place on.
    else await inLine(standing.waiting, gone);
    try {
      return await work();
    } finally {
      this.#leave(uid, standing);
    }
  }

  #leave(uid: number, standing: Standing): void {
    const [next] = standing.waiting;
    if (next !== undefined) return next();
    standing.underWay -= 1;
    if (standing.underWay === 0) this.#standings.delete(uid);
  }
}

const inLine = (waiting: Set<() => void>, gone: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(come);
      gone.removeEventListener("abort", flee);
    };
    const come = (): void => {
      leave();
      resolve();
    };
    const flee = (): void => {
      leave();
      reject(new StreamBroError("OPERATION_FAILED", "whoever asked for it has gone."));
    };
    waiting.add(come);
    gone.addEventListener("abort", flee);
    if (gone.aborted) flee();
  });
