import type { Peer } from "../rpc/peer.ts";
import type { Group } from "../users/groups.ts";
import { type Users, isNumbered } from "../users/users.ts";

/** Members may do everything. */
export const ADMIN_GROUP = "streambro-admin";

/** Whoever asks for something. */
export type Asker = {
  /** A user has its own streams to do with as it likes, an admin everybody's. */
  readonly role: "admin" | "user";
  /** Null where the kernel cannot be asked: the socket's mode has decided who may come, as an admin. */
  readonly uid: number | null;
  /** As owners are called; null where it could not be found out in time, or was not needed. */
  readonly user: string | null;
};

/** All numbers that are no user's of this machine: one user may have thousands, those of its containers. */
const NOBODYS = -1;

/** Whose bounds hold for an asker; null where nobody can be told apart. */
export const boundedAs = ({ uid, user }: Asker): number | null =>
  user !== null && isNumbered(user) ? NOBODYS : uid;

/** Who the daemon itself is, and what it knows of others. */
export type Known = {
  readonly users: Pick<Users, "nameOf">;
  readonly admins: Pick<Group, "gid">;
  /** The daemon's own. */
  readonly uid: number;
};

/** An admin's name is only remembered: a command must not be kept waiting for it by a directory. */
const NAME_MS = 200;

/**
 * Root, the daemon's own user and members of the admins' group are admins, everybody else is a user.
 * Never rejects: a group that cannot be looked up makes nobody an admin.
 */
export const askerOf = async (
  peer: Peer | null,
  { users, admins, uid: own }: Known,
  isNameWanted: boolean,
): Promise<Asker> => {
  if (peer === null) return { role: "admin", uid: null, user: null };
  const { uid, groups } = peer;
  const isAdmin = uid === 0 || uid === own || (await isMember(groups, admins));
  const name = (): Promise<string | null> => users.nameOf(uid).catch(() => null);
  if (!isAdmin) return { role: "user", uid, user: await name() };
  return { role: "admin", uid, user: isNameWanted ? await within(NAME_MS, name()) : null };
};

const isMember = async (groups: Peer["groups"], admins: Known["admins"]): Promise<boolean> => {
  const gid = await admins.gid();
  return gid !== null && groups.includes(gid);
};

const within = <T>(ms: number, work: Promise<T>): Promise<T | null> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
