import { readFile } from "node:fs/promises";
import { runBounded } from "../media/bounded.ts";

/** A user of this machine. */
export type User = { readonly name: string; readonly uid: number };

/** What the list of users says of one. */
export type Entry = User & { readonly gid: number; readonly home: string };

/** `unknown`: it cannot be found out just now, as when a directory service does not answer. */
export type Found = { readonly is: "user"; readonly user: User } | typeof NOBODY | typeof UNKNOWN;

/** Finds a user by name, or by number where `key` is one, as `getent` does. Settles in time. */
export type LookUp = (key: string) => Promise<Found>;

export const NOBODY = { is: "nobody" } as const;
export const UNKNOWN = { is: "unknown" } as const;

/** getent: one or more supplied keys could not be found. */
const NOT_FOUND = 2;
const WITHIN_MS = 3_000;
const MOST_BYTES = 65_536;
/** No option of a program, no field separator, and no longer than an owner may be. */
const NAME = /^[^-:\s\p{Cc}][^:\p{Cc}]{0,63}$/u;

export const lookUp = async (key: string, withinMs: number = WITHIN_MS): Promise<Found> => {
  const found = await lookUpEntry(key, withinMs);
  if (!("name" in found)) return found;
  return { is: "user", user: { name: found.name, uid: found.uid } };
};

/** In /etc/passwd, which costs nothing; then wherever else this machine keeps its users. */
export const lookUpEntry = async (
  key: string,
  withinMs: number = WITHIN_MS,
): Promise<Entry | typeof NOBODY | typeof UNKNOWN> => {
  if (!NAME.test(key)) return NOBODY;
  const local = find(await readFile("/etc/passwd", "utf8").catch(() => ""), key);
  if (local !== null) return local;
  const bounds = { withinMs, mostBytes: MOST_BYTES };
  // In a process of its own: a name service that hangs holds up nobody but who asks.
  const { stdout, exitCode, timedOut, missing } = await runBounded(
    "getent passwd",
    ["getent", "passwd", key],
    bounds,
  );
  if (timedOut) return UNKNOWN;
  const user = exitCode === 0 ? first(stdout.toString("utf8")) : null;
  if (user !== null) return user;
  // Killed, or a machine out of processes: that says nothing about the user.
  return exitCode === NOT_FOUND || exitCode === 0 || missing ? NOBODY : UNKNOWN;
};

/** In the text of a password file. */
export const find = (text: string, key: string): Entry | null => {
  const uid = /^\d+$/.test(key) ? Number(key) : null;
  for (const line of text.split("\n")) {
    const user = first(line);
    if (user !== null && (uid === null ? user.name === key : user.uid === uid)) return user;
  }
  return null;
};

const first = (line: string): Entry | null => {
  const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
  if (!NAME.test(name) || !isId(uid) || !isId(gid)) return null;
  return { name, uid: Number(uid), gid: Number(gid), home };
};

const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32;
