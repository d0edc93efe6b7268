import { runBounded } from "../media/bounded.ts";
import { lookUpEntry } from "../users/look-up.ts";
import type { Account } from "./input.ts";

/** `unknown`: it cannot be found out just now. */
export type FoundAccount = Account | "nobody" | "unknown";

/**
 * Finds a user by the owner's name; with all groups, but where the number alone decides, so that nothing
 * has to be asked for it that may not answer. Settles in time, and never throws.
 */
export type FindAccount = (
  owner: string,
  isExempt: (uid: number) => boolean,
) => Promise<FoundAccount>;

const WITHIN_MS = 3_000;
const MOST_BYTES = 65_536;
/** Of a number that is no user's: it is in no group. */
const NO_GROUP = 65_534;
const NAMELESS = /^uid-(\d{1,10})$/;
const NUMBER = /^\d+$/;

export const findAccount: FindAccount = async (owner, isExempt) => {
  const found = await accountOf(owner);
  const [, number] = NAMELESS.exec(owner) ?? [];
  const uid = Number(number);
  const nameless = { name: owner, uid, gid: NO_GROUP, groups: [], home: "/" };
  if (found === "unknown") return number !== undefined && isExempt(uid) ? nameless : found;
  if (found === "nobody") return number === undefined ? found : nameless;
  // A user called so is not the one with this number.
  if (number !== undefined && found.uid !== uid) return "nobody";
  if (isExempt(found.uid)) return found;
  const command = ["id", "-G", "--", owner] as const;
  const bounds = { withinMs: WITHIN_MS, mostBytes: MOST_BYTES };
  const { stdout, exitCode } = await runBounded(command.join(" "), command, bounds);
  const words = stdout.toString("latin1").trim().split(" ");
  if (exitCode !== 0 || !words.every((word) => /^\d{1,10}$/.test(word))) return "unknown";
  return { ...found, groups: [...new Set([found.gid, ...words.map(Number)])] };
};

/** By the name alone: a number would be another's name. */
const accountOf = async (name: string): Promise<FoundAccount> => {
  if (NUMBER.test(name)) return "nobody";
  const found = await lookUpEntry(name);
  if ("is" in found) return found.is;
  if (found.name !== name) return "nobody";
  const { uid, gid, home } = found;
  return { name, uid, gid, groups: [gid], home: home === "" ? "/" : home };
};
