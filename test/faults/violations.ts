export const INVARIANTS = {
  "one-publisher": "never two publishers for one key",
  "no-stray": "never an FFmpeg that no stream owns",
  "on-the-air": "never a stream that should run and is down longer than the policy allows",
  undisturbed: "never a pause where nothing was inflicted, or where it must cost nothing",
  "no-leak": "no key where anybody but the daemon's user could read it",
  "no-growth": "no growth of descriptors or memory",
  "no-foreign-signal": "no process of somebody else is signalled",
  "daemon-alive": "the daemon neither ends by itself nor falls silent",
  "state-kept": "no stream, wish or key is lost",
} as const;

export type Invariant = keyof typeof INVARIANTS;

export type Violation = {
  readonly invariant: Invariant;
  /** Since the suite began. */
  readonly atMs: number;
  /** Faults that were being inflicted, `NUMBER NAME`. */
  readonly during: readonly string[];
  readonly evidence: string;
};

/** Everything that was broken; the same thing again and again is told a few times and counted. */
export class Violations {
  readonly all: Violation[] = [];
  readonly counts = new Map<Invariant, number>();
  readonly during = new Set<string>();
  readonly #began = performance.now();
  readonly #told = new Map<string, number>();
  readonly #tell: (violation: Violation) => void;

  constructor(tell: (violation: Violation) => void) {
    this.#tell = tell;
  }

  /** `what` tells one breach from another; without it the evidence does. */
  broken(invariant: Invariant, evidence: string, what = evidence): void {
    this.counts.set(invariant, (this.counts.get(invariant) ?? 0) + 1);
    const name = `${invariant} ${what}`;
    const told = (this.#told.get(name) ?? 0) + 1;
    this.#told.set(name, told);
    if (told > MOST_TOLD) return;
    const atMs = performance.now() - this.#began;
    const violation = { invariant, atMs, during: [...this.during], evidence };
    this.all.push(violation);
    this.#tell(violation);
  }
}

const MOST_TOLD = 3;
