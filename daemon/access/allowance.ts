/** Users that are remembered; past that, those who have all of their allowance are forgotten. */
const MOST_KEPT = 1_000;

/** So much at once for each user, and one more every so often. Times are on a clock that never jumps. */
export class Allowance {
  readonly #burst: number;
  readonly #regainMs: number;
  readonly #now: () => number;
  readonly #left = new Map<number, { left: number; at: number }>();

  constructor(burst: number, regainMs: number, now: () => number) {
    this.#burst = burst;
    this.#regainMs = regainMs;
    this.#now = now;
  }

  /** Takes one; false where there is none left. */
  take(uid: number): boolean {
    if (this.#left.size >= MOST_KEPT) this.#forgetRested();
    const standing = this.#standingOf(uid);
    this.#left.set(uid, standing);
    if (standing.left < 1) return false;
    standing.left -= 1;
    return true;
  }

  #standingOf(uid: number): { left: number; at: number } {
    const now = this.#now();
    const before = this.#left.get(uid) ?? { left: this.#burst, at: now };
    const left = Math.min(this.#burst, before.left + (now - before.at) / this.#regainMs);
    return { left, at: now };
  }

  #forgetRested(): void {
    for (const uid of this.#left.keys())
      if (this.#standingOf(uid).left >= this.#burst) this.#left.delete(uid);
  }
}
