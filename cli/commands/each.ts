import { exitStatusOf } from "../client/failure.ts";
import type { Failure } from "../client/failure.ts";
import { reportFailure, worst } from "../context.ts";
import type { Context } from "../context.ts";

/** How one of several streams fared: an exit status, or the failure of the call, not yet reported. */
export type Fared = number | { readonly failure: Failure; readonly undone: string };

/**
 * Does something to each stream in turn, reports what failed, and gives the worst exit status. A
 * failure of the daemon rather than of a stream ends the round, as it would befall the others too.
 */
export const inTurn = async (
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<Fared>,
): Promise<number> => {
  const statuses: number[] = [];
  for (const name of names) {
    const fared = await act(name);
    if (typeof fared === "number") {
      statuses.push(fared);
      continue;
    }
    reportFailure(context, fared.failure, fared.undone);
    statuses.push(exitStatusOf(fared.failure));
    if (fared.failure.reason !== "refused") break;
  }
  return worst(statuses);
};

/** Does something to all streams at once, and gives the worst exit status. */
export const atOnce = async (
  names: readonly string[],
  act: (name: string) => Promise<number>,
): Promise<number> => worst(await Promise.all(names.map(async (name) => act(name))));
