import type { Settings } from "../config/settings.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { Streak } from "../store/schemas.ts";

/** Times in milliseconds; `limit` 0 never gives up. */
export type RestartPolicy = {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly maxLaterMs: number;
  readonly youngMs: number;
  readonly inputMs: number;
  readonly limit: number;
};

export const policyOf = (settings: Settings): RestartPolicy => ({
  firstMs: settings.RETRY_FIRST_MS,
  maxMs: settings.RETRY_MAX_MS,
  maxLaterMs: settings.RETRY_MAX_LATER_MS,
  youngMs: settings.RETRY_YOUNG_MS,
  inputMs: settings.INPUT_RETRY_MS,
  limit: settings.RETRY_LIMIT,
});

export type Verdict =
  | { readonly retry: true; readonly afterMs: number; readonly streak: Streak }
  | { readonly retry: false };

/** What doubles, where the first delay is set to nothing. */
const LEAST_STEP_MS = 100;

const KILL_WINDOW_MS = 300_000;
const KILLS_FORGIVEN = 30;

/**
 * What to do after a failure. The first retry comes within `firstMs`, each later one after about twice
 * the time before, with jitter so that a crowd spreads out; capped, lower while the outage is young.
 * FFmpeg ended from outside says nothing about the input or the receiver: it is retried at once and
 * does not count, as long as it is not the rule. `random` is in [0, 1).
 */
export const afterFailure = (
  failure: Failure,
  streak: Streak,
  policy: RestartPolicy,
  now: number,
  random: number,
): Verdict => {
  if (failure.permanent) return { retry: false };
  if (failure.reason === "killed") {
    const kills = [...streak.kills.filter((at) => now - at < KILL_WINDOW_MS && at <= now), now];
    if (kills.length <= KILLS_FORGIVEN) {
      return { retry: true, afterMs: random * policy.firstMs, streak: { ...streak, kills } };
    }
  }
  const attempt = streak.attempt + 1;
  if (policy.limit > 0 && attempt > policy.limit) return { retry: false };
  const outageSince = Math.min(streak.outageSince ?? now, now);
  const next = { ...streak, attempt, outageSince };
  const ofInput = failure.reason === "input-missing" || failure.reason === "input-corrupt";
  // The first time it may just be being replaced.
  if (ofInput && attempt > 1) return { retry: true, afterMs: policy.inputMs, streak: next };
  return {
    retry: true,
    afterMs: delayMs(attempt, now - outageSince, policy, random),
    streak: next,
  };
};

/** The longest that a retry after this failure can be away, as the outage stands now. */
export const longestDelayMs = (
  { reason }: Pick<Failure, "reason">,
  { outageSince }: Pick<Streak, "outageSince">,
  policy: RestartPolicy,
  now: number,
): number => {
  if (reason === "input-missing" || reason === "input-corrupt") return policy.inputMs;
  return mostMs(now - (outageSince ?? now), policy);
};

const mostMs = (outageMs: number, { youngMs, maxMs, maxLaterMs }: RestartPolicy): number =>
  outageMs < youngMs ? maxMs : Math.max(maxMs, maxLaterMs);

const delayMs = (
  attempt: number,
  outageMs: number,
  policy: RestartPolicy,
  random: number,
): number => {
  if (attempt === 1) return random * Math.min(policy.firstMs, policy.maxMs);
  const whole = Math.min(
    mostMs(outageMs, policy),
    Math.max(policy.firstMs, LEAST_STEP_MS) * 2 ** Math.min(attempt - 1, 30),
  );
  return whole * (0.5 + random / 2);
};
