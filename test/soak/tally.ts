/** What was done to the daemon, and what came of it. */
export type Tally = {
  cycles: number;
  /** Starts that were given the time to become live; and those that did, at the first attempt. */
  starts: number;
  started: number;
  /** From the command to `live`, in milliseconds. */
  readonly startMs: number[];
  /** Why starts failed, and what else went wrong, by its first words; and how often. */
  readonly failures: Map<string, number>;
  /** Ends of a running FFmpeg that somebody asked for. */
  stops: number;
  restarts: number;
  removals: number;
  kills: number;
  /** Stops that came before the start they belong to was done. */
  overtaken: number;
};

export const newTally = (): Tally => ({
  ...{ cycles: 0, starts: 0, started: 0, startMs: [], failures: new Map<string, number>() },
  ...{ stops: 0, restarts: 0, removals: 0, kills: 0, overtaken: 0 },
});

const MOST_REASONS = 50;

export const failed = (tally: Tally, why: string): void => {
  const reason = why.replaceAll(/\bc\d+-\d+\b/g, "NAME").slice(0, 120);
  const known = tally.failures.has(reason) || tally.failures.size < MOST_REASONS;
  const name = known ? reason : "others";
  tally.failures.set(name, (tally.failures.get(name) ?? 0) + 1);
};
