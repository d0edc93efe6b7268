import { readFile } from "node:fs/promises";
import { runBounded } from "../media/bounded.ts";
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
/** getent: one or more supplied keys could not be found. */
const NOT_FOUND = 2;
/** Of a number that is no user's: it is in no group. */
const NO_GROUP = 65_534;
const NAMELESS = /^uid-(\d{1,10})$/;

export const findAccount: FindAccount = async (owner, isExempt) => {
  const found = await passwordEntry(owner);
  const [, number] = NAMELESS.exec(owner) ?? [];
  const uid = Number(number);
  const nameless = { name: owner, uid, gid: NO_GROUP, groups: [], home: "/" };
  if (found === "unknown") return number !== undefined && isExempt(uid) ? nameless : found;
  if (found === "nobody") return number === undefined ? found : nameless;
  // A user called so is not the one with this number.
  if (number !== undefined && found.uid !== uid) return "nobody";
  if (isExempt(found.uid)) return found;
  const { stdout, exitCode } = await ask(["id", "-G", "--", owner]);
  const words = stdout.toString("latin1").trim().split(" ");
  if (exitCode !== 0 || !words.every((word) => /^\d{1,10}$/.test(word))) return "unknown";
  return { ...found, groups: [...new Set([found.gid, ...words.map(Number)])] };
};

/** By the name alone: a number would be another's name. */
const passwordEntry = async (name: string): Promise<FoundAccount> => {
  if (!/^[^-:\s\p{Cc}][^:\p{Cc}]{0,63}$/u.test(name)) return "nobody";
  const local = await readFile("/etc/passwd", "utf8").catch(() => "");
  const found = local
    .split("\n")
    .map(parse)
    .find((entry) => entry?.name === name);
  if (found !== undefined && found !== null) return found;
  const { stdout, exitCode, missing } = await ask(["getent", "passwd", name]);
  const entry = exitCode === 0 ? parse(stdout.toString("utf8").split("\n")[0] ?? "") : null;
  if (entry?.name === name) return entry;
  return missing || exitCode === 0 || exitCode === NOT_FOUND ? "nobody" : "unknown";
};

const ask = (command: readonly [string, ...string[]]): ReturnType<typeof runBounded> =>
  runBounded(command.join(" "), command, { withinMs: WITHIN_MS, mostBytes: MOST_BYTES });

/** A line of a password file, without the groups that are kept elsewhere. */
const parse = (line: string): Account | null => {
  const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
  if (name === "" || ![uid, gid].every((word) => /^\d{1,10}$/.test(word))) return null;
  const groups = [Number(gid)];
  return { name, uid: Number(uid), gid: Number(gid), groups, home: home === "" ? "/" : home };
};
