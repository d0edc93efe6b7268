import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
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
 * from its runner; and it is this user's, or, where a daemon that is root runs it as its owner, has what
 * only root can have opened.
 */
const isOurs = (pid: number, marker: string): boolean => {
  try {
    const group = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))?.group;
    const descriptor = `/proc/${pid}/fd/8`;
    const lock = readlinkSync(descriptor).replace(/ \(deleted\)$/, "");
    if (group !== pid || lock !== marker) return false;
    const own = process.getuid?.();
    return statSync(`/proc/${pid}`).uid === own || (own === 0 && isTheLock(descriptor, marker));
  } catch {
    return false;
  }
};

/** A name can be made up, in a name space of one's own: this is the file itself, there or removed. */
const isTheLock = (descriptor: string, lock: string): boolean => {
  const open = statSync(descriptor);
  const there = statSync(lock, { throwIfNoEntry: false });
  if (there === undefined || open.nlink === 0) return open.uid === 0 && open.nlink === 0;
  return open.dev === there.dev && open.ino === there.ino;
};

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
