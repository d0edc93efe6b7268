import type { MethodName } from "../../shared/contract/methods.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { StreamBroError } from "../../shared/errors.ts";
import type { Clock } from "../clock/clock.ts";
import type { Asking } from "../history/asking.ts";
import type { Log } from "../log/log.ts";
import type { Caller, Handlers } from "../rpc/server.ts";
import { noSuchStream } from "../supervisor/refusals.ts";
import { notJustNow } from "../users/users.ts";
import { Allowance } from "./allowance.ts";
import { type Asker, type Known, boundedAs } from "./asker.ts";
import { Askers } from "./askers.ts";
import { Audit } from "./audit.ts";
import { reduced } from "./reduced.ts";
import { ANSWERS_LEFT } from "../rpc/shares.ts";
import { forAdmins, othersStream, tooManyRequests } from "./refusals.ts";
import { type AnyRight, RIGHTS, rightTo } from "./rights.ts";
import { type Scene, Sight } from "./sight.ts";
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

/** Inputs that are looked at at once for one user, and answers that are read. */
const MOST_PROBES = 4;
const MOST_READS = 1;
/** What one user may ask for at once, and how long it takes to regain one; of that, changes. */
const MOST_CALLS = 2_000;
const REGAIN_CALL_MS = 5;
const TOO_MANY_CALLS = `you have asked for ${MOST_CALLS} things in a short time. Try again in ten seconds.`;
const MOST_CHANGES = 500;
const REGAIN_CHANGE_MS = 1_000;
const TOO_MANY_CHANGES = `you have asked for ${MOST_CHANGES} changes in a short time. Try again in a minute.`;

type Handle<C extends Caller> = (params: object, caller: C) => Promise<object>;

/** One call on its way. */
type Asked = {
  readonly right: AnyRight;
  readonly handle: Handle<Admitted>;
  readonly params: object;
  readonly caller: Caller;
  readonly asker: Asker;
};

/**
 * The same handlers, each behind its row of the rights: the one place that decides who may do what, and
 * where each change is audited. Admins are not bounded.
 */
export const guard = (handlers: GuardedHandlers, around: Around): Handlers => {
  const { asking, log, clock, monotonic } = around;
  const askers = new Askers(around.known, monotonic);
  const audit = new Audit({ log, clock });
  const probes = new Turns(MOST_PROBES);
  const reads = new Turns(MOST_READS);
  const calls = new Allowance(MOST_CALLS, REGAIN_CALL_MS, monotonic);
  const changes = new Allowance(MOST_CHANGES, REGAIN_CHANGE_MS, monotonic);

  const carryOut = ({ right, handle, params, caller, asker }: Asked): Promise<object> => {
    const sight = new Sight(asker, around);
    const refusal = refusalOf(right, params, sight);
    if (refusal !== null) return Promise.reject(refusal);
    const result = handle(params, { ...caller, sight });
    const { view } = right;
    return result.then((whole) =>
      view === undefined ? ownStill(whole, right, params, sight) : view(whole, sight),
    );
  };
  const bounded = (uid: number, isChange: boolean, asked: Asked): Promise<object> => {
    if (!calls.take(uid)) return Promise.reject(tooManyRequests(TOO_MANY_CALLS));
    if (isChange && !changes.take(uid)) return Promise.reject(tooManyRequests(TOO_MANY_CHANGES));
    const { right, caller } = asked;
    if (right.probes !== true && right.reads !== true) return carryOut(asked);
    const turns = right.probes === true ? probes : reads;
    // What waited for its turn may belong to somebody else by then: that is looked at afterwards.
    return turns.take(uid, caller.gone, () =>
      caller.share?.isFull() === true
        ? Promise.reject(tooManyRequests(ANSWERS_LEFT))
        : carryOut(asked),
    );
  };
  const start = (asked: Asked, isChange: boolean): Promise<object> => {
    const { role } = asked.asker;
    const uid = boundedAs(asked.asker);
    return role === "user" && uid !== null ? bounded(uid, isChange, asked) : carryOut(asked);
  };
  const guarded = (method: MethodName): Handle<Caller> => {
    const right = rightTo(method);
    const handle = handlers[method] as Handle<Admitted>;
    return async (params, caller) => {
      const isChange = typeof right.changes === "function" ? right.changes(params) : right.changes;
      const { peer } = caller;
      const asker = askers.kept(peer, isChange) ?? (await askers.find(peer, isChange));
      const asked = { right, handle, params, caller, asker };
      if (!isChange) return start(asked, isChange);
      const { uid, user, role } = asker;
      const by = uid === null ? null : { uid, user };
      const isAdmin = role === "admin";
      try {
        const result = await asking.on({ command: method, by, isAdmin }, start, asked, isChange);
        if (hasChanged(result)) audit.done({ asker, method, params });
        return result;
      } catch (error) {
        audit.failed({ asker, method, params }, error);
        throw error;
      }
    };
  };
  const methods = Object.keys(RIGHTS) as MethodName[];
  return Object.fromEntries(methods.map((one) => [one, guarded(one)])) as unknown as Handlers;
};

/** Why an asker may not do it; null where they may. */
export const refusalOf = (right: AnyRight, params: object, sight: Sight): StreamBroError | null => {
  if (sight.isAdmin) return null;
  const { uid, user } = sight.asker;
  if (user === null) return notJustNow(`user ${uid}`);
  const { who, doing = "do that" } = right;
  if (who === "admin") return forAdmins(doing);
  if (who === "owner") {
    const { name } = params as { readonly name: string };
    const owner = sight.ownerOf(name);
    if (owner === null || sight.of(owner) === "none") return noSuchStream(name);
    if (!sight.isOwn(owner)) return othersStream(name, owner, doing);
  }
  return right.unless?.(params, sight) ?? null;
};

/**
 * What is told of a stream that has come to be somebody else's while it was waited for. Errors: as for
 * asking now.
 */
const ownStill = (whole: object, right: AnyRight, params: object, sight: Sight): object => {
  if (sight.isAdmin || right.who !== "owner") return whole;
  if ("stream" in whole) {
    const stream = whole.stream as StreamStatus;
    return sight.isOwn(stream.owner) ? whole : { ...whole, stream: reduced(stream) };
  }
  const { name } = params as { readonly name: string };
  // What is gone was still the asker's.
  const refusal = sight.ownerOf(name) === null ? null : refusalOf(right, params, sight);
  if (refusal !== null) throw refusal;
  return whole;
};

/** What was so already is no change. */
const hasChanged = (result: object): boolean => !("changed" in result) || result.changed !== false;
