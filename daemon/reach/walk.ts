import { closeSync, constants, fstatSync, openSync, readlinkSync, statfsSync } from "node:fs";
import type { AccessList } from "./access-list.ts";
import { holdsNoFilm } from "./file-systems.ts";
import { READ, SEARCH, type Who, mayAccess } from "./permission.ts";
import type { Refusal, RefusedOpening } from "./refusal.ts";

/** The access list of an open file or directory; null where it has none. Throws UNJUDGED where it cannot be told. */
export type ReadAccessList = (fd: number) => AccessList | null;

export const UNJUDGED = "UNJUDGED";

export type Walked =
  | { readonly ok: true; readonly fd: number }
  | ({ readonly ok: false } & Refusal);

/** Of the kernel's fcntl.h, and of no module of Node's: it is found, and not opened. */
const O_PATH = 0o10_000_000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** As many as the kernel follows. */
const MOST_LINKS = 40;
const MOST_STEPS = 4_096;

/** A directory or a file that was come to, and cannot be changed for another any more; a byte a character. */
type Place = { readonly fd: number; readonly name: string; readonly isDirectory: boolean };

/**
 * Walks from `/` to a file, and opens it for reading if each directory on the way lets `who` through and
 * the file lets `who` read. Each step starts from the very directory that was judged, and no link is
 * followed but by reading it here: whatever is renamed meanwhile, what is opened is what was judged.
 */
export const walk = (file: string, who: Who, accessListOf: ReadAccessList): Walked => {
  const root = { fd: openSync("/", O_PATH | O_DIRECTORY), name: "", isDirectory: true };
  const places: [Place, ...Place[]] = [root];
  const here = (): Place => places.at(-1) ?? places[0];
  const back = (): void => {
    if (places.length > 1) closeSync(places.pop()?.fd ?? -1);
  };
  try {
    const ahead = Buffer.from(file).toString("latin1").split("/");
    let links = 0;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const part = ahead.shift();
      if (part === undefined) return refusal("directory", here());
      if (part === "") continue;
      const from = here();
      if (!allows(from.fd, who, SEARCH, accessListOf)) return refusal("forbidden", from);
      if (part === "..") back();
      if (part === "." || part === "..") continue;
      const fd = find(from.fd, part);
      const found = fstatSync(fd);
      const isDirectory = found.isDirectory();
      const place = { fd, name: `${from.name}/${part}`, isDirectory };
      places.push(place);
      if (holdsNoFilm(statfsSync(through(place.fd)).type)) return refusal("special", place);
      if (isDirectory) continue;
      if (found.isSymbolicLink()) {
        if (++links > MOST_LINKS) return refusal("unreadable", place);
        back();
        // Another one by now, perhaps: whoever may change the directory may say where it leads.
        const target = readlinkSync(bytes(`${through(from.fd)}/${part}`), "latin1");
        if (target.startsWith("/")) while (places.length > 1) back();
        ahead.unshift(...target.split("/"));
        continue;
      }
      if (ahead.some((later) => later !== "")) return refusal("missing", place);
      if (!found.isFile()) return refusal("special", place);
      if (!allows(place.fd, who, READ, accessListOf)) return refusal("forbidden", place);
      return { ok: true, fd: openSync(through(place.fd), O_RDONLY) };
    }
    return refusal("unreadable", here());
  } catch (error) {
    return refusal(WHY[(error as NodeJS.ErrnoException).code ?? ""] ?? "unreadable", here());
  } finally {
    for (const { fd } of places) closeSync(fd);
  }
};

const WHY: Readonly<Record<string, RefusedOpening>> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  // The owner's right was judged before: this is the daemon's user.
  EACCES: "closed",
  EPERM: "closed",
  [UNJUDGED]: "unjudged",
};

const refusal = (is: RefusedOpening, { name, isDirectory }: Place): Walked => ({
  ok: false,
  is,
  at: bytes(name).toString("utf8") + (isDirectory ? "/" : ""),
});

const bytes = (name: string): Buffer => Buffer.from(name, "latin1");

const through = (fd: number): string => `/proc/self/fd/${fd}`;

/** As a directory first: only so does an automounter mount what is to be there. A link is none. */
const find = (from: number, part: string): number => {
  const name = bytes(`${through(from)}/${part}`);
  try {
    return openSync(name, O_PATH | O_NOFOLLOW | O_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    return openSync(name, O_PATH | O_NOFOLLOW);
  }
};

const allows = (fd: number, who: Who, want: number, accessListOf: ReadAccessList): boolean =>
  mayAccess(fstatSync(fd), () => accessListOf(fd), who, want);
