import type { Params } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";
import { NEVER, type StopTime, stopAfter } from "../supervisor/durable.ts";

/**
 * When a timed run ends: `--until` by the wall clock, however that is set, `--for` when so much time has
 * passed. Errors: INVALID_SPEC.
 */
export const stopTime = ({ name, forMs, until }: Params<"stream.start">, now: number): StopTime => {
  const refuse = (why: string): never => {
    throw new StreamBroError("INVALID_SPEC", `${name}: not started: ${why}`);
  };
  if (forMs !== undefined && until !== undefined)
    return refuse("say for how long or until when, not both.");
  if (forMs !== undefined) return stopAfter(forMs, now);
  if (until === undefined) return NEVER;
  const stopAt = Date.parse(until);
  return stopAt > now
    ? { stopAt, stopBy: null }
    : refuse(`${until} has passed. Give a time to come.`);
};
