import { StreamBroError } from "../../shared/errors.ts";
import type { Caller } from "../rpc/server.ts";
import type { Users } from "../users/users.ts";

/** Who the daemon itself is, and what it knows of others. */
export type Owners = {
  readonly users: Users;
  /** The daemon's own. */
  readonly uid: number;
};

/**
 * Whose stream it becomes: the caller's, or whom an admin names. Where the kernel cannot be asked,
 * everybody's are the daemon's own user's. Errors: NOT_PERMITTED, INVALID_SPEC, OPERATION_FAILED.
 */
export const ownerFor = async (
  caller: Caller,
  asked: string | undefined,
  { users, uid }: Owners,
): Promise<string> => {
  const { peer } = caller;
  if (asked === undefined) return users.nameOf(peer?.uid ?? uid);
  if (peer === null) {
    const why = "the kernel cannot be asked who is at the other end of the socket, so";
    const sentence = `--owner is refused: ${why} every stream belongs to the daemon's own user.`;
    throw new StreamBroError("NOT_PERMITTED", sentence);
  }
  return users.named(asked);
};

/** The operator's warning, where nobody can be told apart. */
export const cannotAsk = async (why: string, { users, uid }: Owners): Promise<string> => {
  const own = await users.nameOf(uid).catch(() => `uid-${uid}`);
  return `The kernel cannot be asked who is at the other end of the socket (${why}): every stream belongs to ${own}, --owner is refused, and whoever may use the socket may do everything.`;
};
