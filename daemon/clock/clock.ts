/** Time as the supervisor sees it, so that tests can own it. */
export type Clock = {
  /** Wall clock, milliseconds since the epoch: for what people read and what outlives a boot. */
  now(): number;
  /** Calls back once after `ms`; the answer cancels. Runs on the monotonic clock. */
  after(ms: number, callback: () => void): () => void;
};

export const after: Clock["after"] = (ms, callback) => {
  // A timer longer than 2^31 ms would fire at once; what was due a moment ago is due now.
  const timer = setTimeout(callback, Math.max(0, Math.min(ms, 2_147_483_647)));
  return () => clearTimeout(timer);
};

export const systemClock: Clock = { now: () => Date.now(), after };

export const instant = (ms: number): string => new Date(ms).toISOString();
