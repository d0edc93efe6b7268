import type { Sample } from "./samples.ts";

/** A window that is kept for so long, while bytes arrive, is what this receiver offers when it reads. */
const SETTLED_MS = 3_000;
/** One that loses less than this part of what arrives is kept. */
const KEPT = 0.04;

/**
 * The largest window that the receiver has settled at by a look, whose predecessors are given: the first
 * one seen, or one that grew and was kept. Undefined where the kernel cannot tell.
 */
export const settledWindow = (
  before: readonly Sample[],
  { at, connection }: Omit<Sample, "settled">,
): number | undefined => {
  if (connection === null) return undefined;
  const settled = before.at(-1)?.settled ?? connection.window;
  const earlier = before.findLast((sample) => at - sample.at >= SETTLED_MS);
  if (!earlier?.connection) return settled;
  const acked = connection.acked - earlier.connection.acked;
  const lost = earlier.connection.window - connection.window;
  if (acked <= 0 || lost >= acked * KEPT) return settled;
  return Math.max(settled, Math.min(earlier.connection.window, connection.window));
};
