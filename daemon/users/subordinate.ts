import { readFileSync } from "node:fs";

/** Numbers that a user may give to its containers, as /etc/subuid has them. */
type Range = { readonly first: number; readonly count: number };

const FILE = "/etc/subuid";
const KEPT_MS = 60_000;

/**
 * Whose bounds hold for a number: one of somebody's containers is counted with all others of its range,
 * or one user would have those of thousands.
 */
export class Subordinates {
  readonly #read: () => string;
  readonly #now: () => number;
  #kept: { readonly until: number; readonly ranges: readonly Range[] } | null = null;

  constructor(
    read: () => string = () => readFileSync(FILE, "utf8"),
    now: () => number = () => performance.now(),
  ) {
    this.#read = read;
    this.#now = now;
  }

  /** The first of its range where it is in one, else the number itself. */
  countedAs(uid: number): number {
    const range = this.#ranges().find(({ first, count }) => uid >= first && uid < first + count);
    return range?.first ?? uid;
  }

  #ranges(): readonly Range[] {
    if (this.#kept === null || this.#now() >= this.#kept.until)
      this.#kept = { until: this.#now() + KEPT_MS, ranges: this.#look() };
    return this.#kept.ranges;
  }

  #look(): Range[] {
    try {
      return rangesIn(this.#read());
    } catch {
      // Most machines without containers have none.
      return [];
    }
  }
}

const rangesIn = (text: string): Range[] =>
  text.split("\n").flatMap((line) => {
    const [, first, count] = /^[^:]+:(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    // Whoever may give away 0 may give away everything: that is nobody's containers.
    return first === undefined || Number(first) === 0
      ? []
      : [{ first: Number(first), count: Number(count) }];
  });
