import { StreamBroError } from "../../shared/errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { Log } from "../log/log.ts";
import type { Registry } from "../registry/registry.ts";
import type { GuardedHandlers } from "../access/guard.ts";
import type { Owners } from "./owner.ts";

/** Users that one command may give limits: each may have to be looked up. */
const MOST_AT_ONCE = 100;

export const limitHandlers = (
  limits: Limits,
  owners: Owners,
  registry: Registry,
  log: Log,
  open: () => void,
): Pick<GuardedHandlers, "limits.get" | "limits.set"> => ({
  "limits.get": async () => limits.toResult(waitingIn(registry)),
  "limits.set": async (wanted, caller) => {
    open();
    const users = await knownUsers(wanted.users ?? {}, limits, owners, ownersOf(registry));
    await limits.change({ ...wanted, users });
    const { perUser, global, users: own } = limits.limiter.values;
    const fields = { event: "limits", perUser, global, users: own, by: caller.peer?.uid ?? null };
    log.info(fields, `limits: ${perUser} per user, ${global} in all`);
    return limits.toResult(waitingIn(registry));
  },
});

const ownersOf = (registry: Registry): Set<string> =>
  new Set(registry.sorted().map(({ spec }) => spec.owner));

const waitingIn = (registry: Registry): string[] =>
  registry
    .sorted()
    .flatMap((stream) => (stream.status().state === "waiting" ? [stream.spec.name] : []));

/** As the machine spells them. One that has gone from the machine can still lose its limit. */
const knownUsers = async (
  asked: Readonly<Record<string, number | null>>,
  limits: Limits,
  owners: Owners,
  known: ReadonlySet<string>,
): Promise<Record<string, number | null>> => {
  const entries = Object.entries(asked);
  if (entries.length > MOST_AT_ONCE) {
    const sentence = `give limits to at most ${MOST_AT_ONCE} users at once.`;
    throw new StreamBroError("INVALID_SPEC", sentence);
  }
  const found: Array<[string, number | null]> = [];
  for (const [name, limit] of entries) {
    // Of a user that is no more, or has no name, there may be streams all the same.
    const isKnown = known.has(name) || (limit === null && limits.hasOwn(name));
    // One after another: a command asks the machine for one user at a time.
    found.push([isKnown ? name : await owners.users.named(name), limit]);
  }
  return Object.fromEntries(found);
};
