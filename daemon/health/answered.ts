import type { Sample } from "./samples.ts";

/** Linux puts off the acknowledgement of what is not read by 40 ms; what is read is answered within 1 ms. */
const PUT_OFF_MS = 15;
/** So long it answers at once all the same, and the mean that is told takes its time. */
const AT_FIRST_MS = 2_000;
/** Less than this acknowledged in all, and nobody can tell. */
const LEAST_BYTES = 4_096;

/**
 * Whether the receiver's kernel has acknowledged at once what has arrived since a look, which it does for
 * a program that reads, and not for one that leaves it lying. A window tells less: a kernel that has
 * offered 7 MB after a pause may take that back for minutes, while all of it is read. False where
 * nobody can tell; a network's own delays look like those of one that puts off.
 */
export const isAnsweredAtOnce = (samples: readonly Sample[], from: Sample): boolean => {
  let acknowledged = 0;
  const delays = samples.flatMap(({ at, connection }, n) => {
    const acked = (connection?.acked ?? 0) - (samples[n - 1]?.connection?.acked ?? Infinity);
    // Where nothing was acknowledged, the round trip that is told is an old one.
    if (at - from.at <= AT_FIRST_MS || !(acked > 0)) return [];
    acknowledged += acked;
    const { rttMs = null, minRttMs = null } = connection ?? {};
    return rttMs === null || minRttMs === null ? [] : [rttMs - minRttMs];
  });
  const middle = delays.toSorted((one, other) => one - other)[Math.floor(delays.length / 2)];
  return acknowledged >= LEAST_BYTES && middle !== undefined && middle < PUT_OFF_MS;
};
