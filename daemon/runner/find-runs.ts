import { type Stats, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { type Identity, existence, identify, parseStat } from "./identity.ts";

/** The variable that the runner puts into FFmpeg's environment: the path of the stream's lock. */
export const MARKER = "STREAMBRO_RUN";

/**
 * Every living process that carries the marker, by marker: the last word on who is on the air, when
 * run directories are gone. Processes of other users cannot be read and are not in it.
 */
export const findMarked = (prefix: string): ReadonlyMap<string, Identity> => {
  const found = new Map<string, Identity>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
    const marker = markerOf(pid);
    if (marker === null || !marker.startsWith(prefix) || !isOurs(pid, marker)) continue;
    const identity = identify(pid);
    if (identity !== null && existence(identity) !== "dead") found.set(marker, identity);
  }
  return found;
};

/**
 * Anybody can set a variable. A stream's process leads its group and has the lock open, as descriptor 8,
 * from its runner; and it is this user's. Where that is root it may be any owner's, and not even root's
 * own is believed by its user alone, which is that of every program that lends root's rights.
 */
const isOurs = (pid: number, marker: string): boolean => {
  try {
    const found = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const lock = readlinkSync(lockOf(pid)).replace(/ \(deleted\)$/, "");
    if (found?.group !== pid || lock !== marker) return false;
    const own = process.getuid?.();
    return own === 0 ? isTheLock(pid, found.parent, marker) : statSync(`/proc/${pid}`).uid === own;
  } catch {
    return false;
  }
};

/**
 * A name can be made up, in a name space of one's own, and an owner can keep the lock of a stream that was
 * removed, for whoever has the name next. So it is the very file; or, where that was removed under a live
 * stream, the one that its runner holds, which is root's.
 */
const isTheLock = (pid: number, runner: number, lock: string): boolean => {
  const open = statSync(lockOf(pid));
  const there = statSync(lock, { throwIfNoEntry: false });
  if (isSame(open, there)) return true;
  return statSync(`/proc/${runner}`).uid === 0 && isSame(open, statSync(lockOf(runner)));
};

const lockOf = (pid: number): string => `/proc/${pid}/fd/8`;

const isSame = (one: Stats, other: Stats | undefined): boolean =>
  one.dev === other?.dev && one.ino === other.ino;

const markerOf = (pid: number): string | null => {
  let environment: string;
  try {
    environment = readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return null;
  }
  const at = `\0${environment}`.indexOf(`\0${MARKER}=`);
  if (at < 0) return null;
  const from = at + MARKER.length + 1;
  const end = environment.indexOf("\0", from);
  return Buffer.from(environment.slice(from, end < 0 ? undefined : end), "latin1").toString("utf8");
};
