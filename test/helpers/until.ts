import { setTimeout as after } from "node:timers/promises";
import { inspect } from "node:util";

const POLL_MS = 25;

/**
 * Waits until `condition` gives something truthy and returns that. A condition that throws counts as
 * not yet. After `deadlineMs` it fails, saying what was waited for and what was last seen.
 */
export const until = async <T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs: number,
): Promise<NonNullable<T>> => {
  const started = performance.now();
  let seen: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (performance.now() - started > deadlineMs) {
      const last = seen instanceof Error ? String(seen) : inspect(seen, { depth: 4 });
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${last}`);
    }
    await after(POLL_MS);
  }
};
