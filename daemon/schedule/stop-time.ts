import type { Params } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";

/** When a timed run ends, in milliseconds since the epoch; null for never. Errors: INVALID_SPEC. */
export const stopTime = (
  { name, forMs, until }: Params<"stream.start">,
  now: number,
): number | null => {
  const refuse = (why: string): never => {
    throw new StreamBroError("INVALID_SPEC", `${name}: not started: ${why}`);
  };
  if (forMs !== undefined && until !== undefined)
    return refuse("say for how long or until when, not both.");
  if (forMs !== undefined) return now + forMs;
  if (until === undefined) return null;
  const at = Date.parse(until);
  return at > now ? at : refuse(`${until} has passed. Give a time to come.`);
};
