import type { Failure } from "../ffmpeg/failure.ts";
import type { Streak } from "../store/schemas.ts";
import type { Effect, Step, World } from "./events.ts";
import { afterFailure } from "./restart-policy.ts";
import { NO_STREAK, type Next, type Run, type State } from "./state.ts";

/** A new state and what is done on the way there. */
export const step = (state: State, ...effects: Effect[]): Step => ({ state, effects });

/** Nothing happens. */
export const stay = (state: State): Step => ({ state, effects: [] });

export const forceKill: Effect = {
  do: "log",
  level: "error",
  event: "FORCE_KILL_REQUIRED",
  sentence: "did not respond to SIGTERM, force killing",
};

/** What the line before announced, done. */
export const forceKilled: Effect = {
  do: "log",
  level: "warn",
  event: "force-killed",
  sentence: "sent SIGKILL",
};

export const noMedia = (ms: number): Failure => ({
  reason: "no-media",
  permanent: false,
  message:
    `nothing was delivered within ${Math.round(ms / 1000)} s of the start. ` +
    "Is the receiver overloaded, or this machine's upload, or too slow an encoder?",
});

/** The receiver takes nothing any more. */
export const noDelivery = (why: string): Failure => ({
  reason: "stalled",
  permanent: false,
  message: why,
});

export const stalledLine = ({ message }: Failure): Effect => ({
  do: "log",
  level: "warn",
  event: "stalled",
  sentence: `stalled: ${message}; starting it again`,
});

export const failed = (failure: Failure, streak: Streak, world: World): Step => {
  // It ended while nobody was there to stop it, and it was to stop.
  if (!world.wanted) return step({ is: "stopped" }, info("stopped", "stopped"));
  const verdict = afterFailure(failure, streak, world.policy, world.now, world.random);
  if (!verdict.retry) {
    return step(
      { is: "failed", failure },
      { do: "log", level: "error", event: "failed", sentence: `failed: ${failure.message}` },
    );
  }
  const retryAt = world.now + verdict.afterMs;
  const wait = (verdict.afterMs / 1000).toFixed(1);
  return step(
    { is: "backoff", failure, streak: verdict.streak, retryAt },
    {
      do: "log",
      level: "warn",
      event: "backoff",
      sentence: `retry in ${wait} s: ${failure.message}`,
    },
  );
};

export const streakOf = (state: State): Streak => ("streak" in state ? state.streak : NO_STREAK);

export const prepare = (streak: Streak, byOperator: boolean): Step =>
  step({ is: "preparing", streak, byOperator }, { do: "prepare" });

export const terminate = (
  run: Run,
  next: Next,
  failure: Failure | null,
  streak: Streak,
  ...effects: Effect[]
): Step =>
  step(
    { is: "stopping", run, next, force: "no", failure, streak },
    { do: "signal", run, signal: "SIGTERM" },
    ...effects,
  );

export const atRest = (next: Next): Step =>
  next !== "rest"
    ? prepare(NO_STREAK, next === "start")
    : step({ is: "stopped" }, info("stopped", "stopped"));

export const info = (event: string, sentence: string): Effect => ({
  do: "log",
  level: "info",
  event,
  sentence,
});
