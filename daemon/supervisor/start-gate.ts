import type { Clock } from "../clock/clock.ts";

/** Who goes first: what somebody asks for, what was on the air until now, what is new, what was refused. */
const RANKS = ["asked", "returning", "fresh", "again"] as const;
export type Rank = (typeof RANKS)[number];

/** A place among the starts. */
export type Turn = {
  /** True when it may begin, false where it left before that. */
  readonly came: Promise<boolean>;
  /** How many begin before it; null from when it may begin. */
  ahead(): number | null;
  /** Somebody asks for it now. */
  hurry(): void;
  /** Gives the place back, however far it came; a second time is nothing. */
  leave(): void;
};

type Place = {
  rank: Rank;
  readonly owner: string | null;
  readonly admit: (began: boolean) => void;
  /** Ends the longest time that it may hold up others; null until it may begin. */
  cancel: (() => void) | null;
};

type Ports = {
  readonly clock: Clock;
  /** How many may begin at once, as it is now. */
  readonly most: () => number;
  /** The daemon is ending: nobody waits any more. */
  readonly ending: AbortSignal;
};

/**
 * What takes longer waits for something, a disk or a receiver, and takes no processor's time: it must
 * not hold up those that would.
 */
const HOLD_MS = 5_000;

/**
 * Bounds how many streams begin at once: to look at an input and to start FFmpeg is work for a
 * processor, and hundreds of them at one time would all be late.
 */
export class StartGate {
  readonly #ports: Ports;
  readonly #inside = new Set<Place>();
  /** In the order in which they begin. */
  readonly #waiting: Place[] = [];

  constructor(ports: Ports) {
    this.#ports = ports;
    ports.ending.addEventListener("abort", () => {
      for (const place of this.#waiting.splice(0)) this.#begin(place);
    });
  }

  /** `owner` is whom `letThrough` names. */
  enter(rank: Rank, owner: string | null = null): Turn {
    const { promise: came, resolve: admit } = Promise.withResolvers<boolean>();
    const place: Place = { rank, owner, admit, cancel: null };
    if (this.#ports.ending.aborted) this.#begin(place);
    else this.#queue(place);
    return {
      came,
      ahead: () => {
        const at = this.#waiting.indexOf(place);
        return at < 0 ? null : at;
      },
      hurry: () => {
        if (place.rank === "asked" || !this.#drop(place)) return;
        place.rank = "asked";
        this.#queue(place);
      },
      leave: () => this.#leave(place),
    };
  }

  /** Lets those of an owner begin at once, over the bound: somebody waits for them to be done. */
  letThrough(owner: string): void {
    for (const place of this.#waiting.filter((one) => one.owner === owner))
      if (this.#drop(place)) this.#begin(place);
  }

  #queue(place: Place): void {
    const order = RANKS.indexOf(place.rank);
    const at = this.#waiting.findIndex(({ rank }) => RANKS.indexOf(rank) > order);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, place);
    this.#admit();
  }

  #admit(): void {
    while (this.#inside.size < this.#ports.most()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #begin(place: Place): void {
    this.#inside.add(place);
    place.cancel = this.#ports.clock.after(HOLD_MS, () => this.#leave(place));
    place.admit(true);
  }

  #leave(place: Place): void {
    if (this.#drop(place)) return place.admit(false);
    if (!this.#inside.delete(place)) return;
    place.cancel?.();
    this.#admit();
  }

  /** Takes it out of those that wait; false where it did not. */
  #drop(place: Place): boolean {
    const at = this.#waiting.indexOf(place);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }
}
