import os from "node:os";

/** What one soak does. Times in milliseconds. */
export type Plan = {
  /** It ends when so many cycles are done or so much time has gone by, whichever comes first. */
  readonly cycles: number;
  readonly forMs: number;
  /** Streams that stay on the air all the while. */
  readonly streams: number;
  /** Streams that are started and stopped over and over, all at once. */
  readonly parallel: number;
  /** A cycling stream stays live for a random time between these. */
  readonly liveMs: readonly [number, number];
  /** Part of the cycles in which FFmpeg is killed by SIGKILL. */
  readonly kills: number;
  /** How often the daemon and the server are looked at. */
  readonly everyMs: number;
  /** How often the daemon measures its streams. */
  readonly monitorMs: number;
  /** The run is cut into so many legs; after each, everything that cycles is stopped and counted. */
  readonly legs: number;
  /** Whether the daemon's garbage is collected after each leg, so that what it holds is seen and nothing else. */
  readonly heap: boolean;
  /** Length of the film that is played, in seconds. */
  readonly filmSeconds: number;
  /** In [0, 1). */
  readonly random: () => number;
};

const HOUR_MS = 3_600_000;
const CORES = os.availableParallelism();

type Wanted = {
  readonly cycles: number | null;
  readonly hours: number | null;
  readonly streams: number | null;
  readonly heap: boolean;
  readonly random: () => number;
};

/** Without hours as fast as the machine can: the wear of weeks in minutes. With them as in real use. */
export const planOf = ({ cycles, hours, streams, heap, random }: Wanted): Plan => {
  const common = { streams: streams ?? 4, legs: 10, filmSeconds: 20, random };
  if (hours !== null) {
    return {
      ...common,
      heap,
      cycles: cycles ?? Number.POSITIVE_INFINITY,
      forMs: hours * HOUR_MS,
      parallel: 2 * CORES,
      liveMs: [2_000, 30_000],
      kills: 0.02,
      everyMs: 1_000,
      monitorMs: 30_000,
    };
  }
  return {
    ...common,
    // The garbage of weeks in minutes would hide everything else.
    heap: true,
    cycles: cycles ?? 2_000,
    forMs: Number.POSITIVE_INFINITY,
    parallel: 4 * CORES,
    liveMs: [0, 1_000],
    kills: 0,
    everyMs: 1_000,
    // Much more often than in use, so that every stream is measured at least once.
    monitorMs: 1_000,
  };
};

/** The same in a quarter of a minute, for the tests. */
export const shortPlan = (cycles: number, random: () => number): Plan => ({
  ...planOf({ cycles, hours: null, streams: 2, heap: false, random }),
  parallel: 3 * CORES,
  liveMs: [0, 300],
  legs: 2,
  filmSeconds: 6,
});
