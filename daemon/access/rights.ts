import type { MethodName, Params, Result } from "../../shared/contract/methods.ts";
import type { StreamBroError } from "../../shared/errors.ts";
import { countStates } from "../registry/statuses.ts";
import { noSuchStream } from "../supervisor/refusals.ts";
import { isNumbered } from "../users/users.ts";
import { forAdmins, noUser, optionForAdmins, othersStream } from "./refusals.ts";
import type { Sight } from "./sight.ts";

/** What every row says. */
type Common<M extends MethodName> = {
  /** Whether it changes something: that is audited, remembered and bounded. */
  readonly changes: boolean | ((params: Params<M>) => boolean);
  /** It looks at an input in a process of its own: so many at once for one user. */
  readonly probes?: true;
  /** Its answer takes long to read and is large: one at a time for one user. */
  readonly reads?: true;
  /** What the parameters ask for beyond the method itself: why that is refused, or null. */
  readonly unless?: (params: Params<M>, sight: Sight) => StreamBroError | null;
};

/** Everybody may; what they are told is what they may see. */
type ForEverybody<M extends MethodName> = Common<M> & {
  readonly who: "everybody";
  readonly view: (result: Result<M>, sight: Sight) => Result<M>;
};
/** The stream's owner may, and admins. `doing` follows "may". */
type ForOwner<M extends MethodName> =
  Params<M> extends { readonly name: string }
    ? Common<M> & { readonly who: "owner"; readonly doing: string }
    : never;
type ForAdmin<M extends MethodName> = Common<M> & { readonly who: "admin"; readonly doing: string };

/** A row whose method does not matter. */
export type AnyRight = {
  readonly who: "everybody" | "owner" | "admin";
  readonly changes: boolean | ((params: object) => boolean);
  readonly probes?: true;
  readonly reads?: true;
  readonly doing?: string;
  readonly unless?: (params: object, sight: Sight) => StreamBroError | null;
  readonly view?: (result: object, sight: Sight) => object;
};

type Right<M extends MethodName> = ForEverybody<M> | ForOwner<M> | ForAdmin<M>;

const asItIs = <T>(result: T): T => result;

/** Errors: STREAM_NOT_FOUND for the first that is not there, or is not to be known of. */
const areSeen = (names: readonly string[] | undefined, sight: Sight): StreamBroError | null => {
  for (const name of new Set(names)) {
    const owner = sight.ownerOf(name);
    if (owner === null || sight.of(owner) === "none") return noSuchStream(name);
  }
  return null;
};

/** The past is whose stream it was then: one's own may be asked for, whosever the name is by now. */
const areOwnPast = (names: readonly string[] | undefined, sight: Sight): StreamBroError | null => {
  for (const name of new Set(names)) {
    const owner = sight.ownerOf(name);
    if (sight.isOwn(owner) || sight.remembers(name)) continue;
    if (owner === null || sight.of(owner) === "none") return noSuchStream(name);
    return othersStream(name, owner, "read its history");
  }
  return null;
};

/** Where others are hidden, a user's own rows and the sum. */
const ownLimits = (limits: Result<"limits.get">, sight: Sight): Result<"limits.get"> => {
  if (!sight.hidesOthers) return limits;
  const { active, users, waiting } = limits;
  const own = (counts: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).filter(([user]) => sight.isOwn(user)));
  return {
    ...limits,
    users: own(users),
    active: { ...active, users: own(active.users) },
    waiting: waiting.filter((name) => sight.isOwn(sight.ownerOf(name))),
  };
};

/**
 * One user may have thousands of numbers that are nobody's, those of its containers, and each would have a
 * limit of its own.
 */
const unlessNobody = ({ asker }: Sight): StreamBroError | null =>
  asker.user !== null && isNumbered(asker.user) ? noUser(asker.uid) : null;

const unlessOwner = ({ owner }: { readonly owner?: string | undefined }): StreamBroError | null =>
  owner === undefined ? null : optionForAdmins("--owner");

/**
 * Who may do what: a row for each method, which the type checker asks for. `unless` holds for users
 * alone; admins may all. `guard` is the one place that goes by it.
 */
export const RIGHTS: { readonly [M in MethodName]: Right<M> } = {
  "daemon.hello": { who: "everybody", changes: false, view: asItIs },
  "daemon.status": {
    who: "everybody",
    changes: false,
    view: (status, sight) => ({
      ...status,
      role: sight.asker.role,
      streams: countStates(sight.everything()),
      // They name others' streams, and places that only an admin can mend.
      warnings: sight.isAdmin ? status.warnings : [],
    }),
  },
  "daemon.stop": { who: "admin", changes: true, doing: "stop the daemon" },
  // No setting holds a stream, an owner or a secret.
  "daemon.config": { who: "everybody", changes: false, view: asItIs },
  "daemon.reload": { who: "admin", changes: true, doing: "have the settings read again" },
  "daemon.metrics": {
    who: "everybody",
    changes: false,
    reads: true,
    // By stream and owner.
    unless: (_, { hidesOthers }) => (hidesOthers ? forAdmins("read the metrics") : null),
    view: asItIs,
  },
  "limits.get": { who: "everybody", changes: false, view: ownLimits },
  "limits.set": { who: "admin", changes: true, doing: "change limits" },
  "encoders.get": {
    who: "everybody",
    changes: ({ refresh }) => refresh === true,
    unless: ({ refresh }) => (refresh === true ? optionForAdmins("--refresh") : null),
    view: asItIs,
  },
  "history.list": {
    who: "everybody",
    changes: false,
    reads: true,
    unless: ({ names }, sight) => areOwnPast(names, sight),
    view: ({ entries, ...rest }, sight) => ({
      ...rest,
      entries: entries.filter(({ stream, owner }) => mayRead(sight, stream, owner)),
    }),
  },
  "events.subscribe": {
    who: "everybody",
    changes: false,
    unless: ({ names }, sight) => areSeen(names, sight),
    view: ({ streams, ...rest }, sight) => ({ ...rest, streams: sight.statuses(streams) }),
  },
  "stream.add": {
    who: "everybody",
    changes: true,
    probes: true,
    unless: (params, sight) => unlessOwner(params) ?? unlessNobody(sight),
    view: asItIs,
  },
  "stream.set": {
    who: "owner",
    changes: true,
    probes: true,
    unless: unlessOwner,
    doing: "change it",
  },
  "stream.show": { who: "owner", changes: false, doing: "see what it is" },
  "stream.command": { who: "owner", changes: false, probes: true, doing: "see how it is run" },
  "stream.status": {
    who: "everybody",
    changes: false,
    unless: ({ names }, sight) => areSeen(names, sight),
    view: ({ streams, ...rest }, sight) => ({ ...rest, streams: sight.statuses(streams) }),
  },
  "stream.start": { who: "owner", changes: true, doing: "start it" },
  "stream.stop": { who: "owner", changes: true, doing: "stop it" },
  "stream.restart": { who: "owner", changes: true, doing: "restart it" },
  "stream.wait": { who: "owner", changes: false, doing: "wait for it" },
  "stream.logs": { who: "owner", changes: false, doing: "read its log" },
  "stream.remove": { who: "owner", changes: true, doing: "remove it" },
};

/** Of an entry of the history: the daemon's own are everybody's. */
export const mayRead = (sight: Sight, stream: string | null, owner: string | null): boolean =>
  sight.isAdmin || stream === null || sight.isOwn(owner);

export const rightTo = (method: MethodName): AnyRight => RIGHTS[method] as unknown as AnyRight;
