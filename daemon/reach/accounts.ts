import { readFile } from "node:fs/promises";
import { runBounded } from "../media/bounded.ts";
import type { Account } from "./input.ts";

/** `unknown`: it cannot be found out just now. */
export type FoundAccount = Account | "nobody" | "unknown";

/** Finds a user with all groups, by the owner's name. Settles in time, and never throws. */
export type FindAccount = (owner: string) => Promise<FoundAccount>;

const WITHIN_MS = 3_000;
const MOST_BYTES = 65_536;
/** getent: one or more supplied keys could not be found. */
const NOT_FOUND = 2;
/** Of a number that is no user's: it is in no group. */
const NO_GROUP = 65_534;
const NAMELESS = /^uid-(\d{1,10})$/;

export const findAccount: FindAccount = async (owner) => {
  const found = await passwordEntry(owner);
  if (found === "unknown") return found;
  const [, number] = NAMELESS.exec(owner) ?? [];
  const uid = Number(number);
  if (found === "nobody") {
    if (number === undefined) return found;
    return { name: owner, uid, gid: NO_GROUP, groups: [], home: "/" };
  }
  // A user called so is not the one with this number.
  if (number !== undefined && found.uid !== uid) return "nobody";
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
