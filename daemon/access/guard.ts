import type { MethodName, Params, Result } from "../../shared/contract/methods.ts";
import type { StreamBroError } from "../../shared/errors.ts";
import type { Clock } from "../clock/clock.ts";
import type { Asking } from "../history/asking.ts";
import type { Log } from "../log/log.ts";
import type { Caller, Handlers } from "../rpc/server.ts";
import { noSuchStream } from "../supervisor/refusals.ts";
import { notJustNow } from "../users/users.ts";
import { Allowance } from "./allowance.ts";
import { type Asker, type Known, askerOf } from "./asker.ts";
import { Audit } from "./audit.ts";
import { forAdmins, othersStream, tooManyRequests } from "./refusals.ts";
import { RIGHTS, type Right } from "./rights.ts";
import { type Scene, type Sight, sightOf } from "./sight.ts";
import { Turns } from "./turns.ts";

/** A caller who may do what it has asked for, and what it sees. */
export type Admitted = Caller & { readonly sight: Sight };

/** What stands behind the guard. */
export type GuardedHandlers = Handlers<Admitted>;

type Around = Scene & {
  readonly known: Known;
  readonly asking: Asking;
  readonly log: Log;
  readonly clock: Pick<Clock, "after">;
  readonly monotonic: () => number;
};

/** Inputs that are looked at at once for one user. */
const MOST_PROBES = 4;
/** Changes that one user may ask for at once, and how long it takes to regain one. */
const MOST_CHANGES = 500;
const REGAIN_MS = 1_000;

/**
 * The same handlers, each behind its row of the rights: the one place that decides who may do what, and
 * where each change is audited. Admins are not bounded.
 */
export const guard = (handlers: GuardedHandlers, around: Around): Handlers => {
  const { asking, log, clock, monotonic } = around;
  const audit = new Audit({ log, clock });
  const probes = new Turns(MOST_PROBES);
  const changesOf = new Allowance(MOST_CHANGES, REGAIN_MS, monotonic);

  const guarded = <M extends MethodName>(method: M): Handlers[M] => {
    const right = RIGHTS[method] as Right<M>;
    const handle = handlers[method] as GuardedHandlers[M];
    return async (params, caller) => {
      const changes = typeof right.changes === "function" ? right.changes(params) : right.changes;
      const asker = await askerOf(caller.peer, around.known, changes);
      const { uid } = asker;
      const isBounded = asker.role === "user" && uid !== null;
      const carryOut = async (): Promise<Result<M>> => {
        // Not earlier: what waited for its turn may belong to somebody else by now.
        const sight = sightOf(asker, around);
        const refusal = refusalOf(right, params, sight);
        if (refusal !== null) throw refusal;
        const result = await handle(params, { ...caller, sight });
        return right.who === "everybody" ? right.view(result, sight) : result;
      };
      const work = async (): Promise<Result<M>> => {
        if (isBounded && changes && !changesOf.take(uid))
          throw tooManyRequests(
            `you have asked for more than ${MOST_CHANGES} changes in a short time. Try again in a minute.`,
          );
        return isBounded && right.probes === true ? probes.take(uid, caller.gone, carryOut) : carryOut();
      };
      if (!changes) return work();
      const by = uid === null ? null : { uid, user: asker.user };
      const attempt = { asker, method, params };
      try {
        const asked = { command: method, by, isAdmin: asker.role === "admin" };
        const result = await asking.on(asked, work);
        if (hasChanged(result)) audit.done(attempt);
        return result;
      } catch (error) {
        audit.failed(attempt, error);
        throw error;
      }
    };
  };
  const all = (Object.keys(RIGHTS) as MethodName[]).map((method) => [method, guarded(method)]);
  return Object.fromEntries(all) as Handlers;
};

/** Why an asker may not do it; null where they may. */
export const refusalOf = <M extends MethodName>(
  right: Right<M>,
  params: Params<M>,
  sight: Sight,
): StreamBroError | null => {
  if (sight.isAdmin) return null;
  const { uid, user }: Asker = sight.asker;
  if (user === null) return notJustNow(`user ${uid}`);
  if (right.who === "admin") return forAdmins(right.doing);
  if (right.who === "owner") {
    const { name } = params as { readonly name: string };
    const owner = sight.ownerOf(name);
    if (owner === null || sight.of(owner) === "none") return noSuchStream(name);
    if (!sight.isOwn(owner)) return othersStream(name, owner, right.doing);
  }
  return right.unless?.(params, sight) ?? null;
};

/** What was so already is no change. */
const hasChanged = (result: object): boolean => !("changed" in result) || result.changed !== false;
