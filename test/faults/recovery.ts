import { setTimeout as after } from "node:timers/promises";
import { bringBack } from "./daemon-faults.ts";
import type { Stage } from "./stage.ts";
import type { Target } from "./target.ts";

/** Longest that a stream is waited for beyond every bound, so that "late" and "never" can be told apart. */
const NEVER_MS = 180_000;
const LOOK_MS = 100;
/** What a kernel or a program still had when its sender died is no delivery. */
const FRESH_MS = 500;
const LEAST_SETTLE_MS = 2_000;

export type Recovery = {
  readonly name: string;
  /** From the lifting of the fault to the first byte of what lasts; null where there was none. */
  readonly ms: number | null;
};

/** Waits until a stream delivers, and goes on delivering until its failures are forgotten. */
export const recovery = async (
  stage: Stage,
  { name, arrivals }: Target,
  liftedAt: number,
  boundMs: number,
): Promise<Recovery> => {
  const resetMs = Number(stage.plan.settings["RETRY_RESET_MS"] ?? 0);
  const settleMs = Math.max(LEAST_SETTLE_MS, resetMs + 500);
  const giveUpAt = liftedAt + boundMs + NEVER_MS;
  for (;;) {
    const now = performance.now();
    const isFresh = now - arrivals.lastAt < FRESH_MS && now - liftedAt >= settleMs;
    if (isFresh && arrivals.lasts(settleMs, now) && !stage.times.isAway) break;
    // It has ended by itself, which is on record; what follows is to be seen all the same.
    if (!stage.times.isAway && !stage.daemon.running()) await bringBack(stage);
    if (now > giveUpAt) {
      stage.violations.broken("on-the-air", `${name}: never came back`, `${name} never`);
      return { name, ms: null };
    }
    await after(LOOK_MS);
  }
  return { name, ms: Math.max(0, Math.round(arrivals.since - liftedAt)) };
};
