import {
  chmodSync,
  chownSync,
  linkSync,
  lchownSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import koffi from "koffi";
import { ANNA, BOB, SERVICE } from "../helpers/as-user.ts";

export const SHARED = 5_001;
const UIDS = [0, ANNA, BOB, SERVICE];
const GIDS = [0, ANNA, BOB, SHARED];

const setxattr = koffi
  .load(null)
  .func(
    "int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)",
  );

type Entry = readonly [tag: number, bits: number, id: number];

/** Sets a POSIX access list; false where the file system keeps none. */
export const setAccessList = (file: string, entries: readonly Entry[]): boolean => {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [n, [tag, bits, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * n);
    bytes.writeUInt16LE(bits, 6 + 8 * n);
    bytes.writeUInt32LE(id, 8 + 8 * n);
  }
  return setxattr(file, "system.posix_acl_access", bytes, bytes.length, 0) === 0;
};

const NO_ID = 0xffffffff;

/** Gives a file or a directory an owner, a mode and now and then a list, all by chance. */
const dress = (file: string, random: () => number, withLists: boolean): void => {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const bits = (): number => Math.floor(random() * 8);
  chownSync(file, pick(UIDS), pick(GIDS));
  // Mostly open, or nothing at all would be reached.
  const mode = random() < 0.65 ? 0o755 : (bits() << 6) | (bits() << 3) | bits();
  chmodSync(file, mode);
  if (!withLists || random() < 0.75) return;
  const users = UIDS.slice(1).filter(() => random() < 0.4);
  const groups = GIDS.slice(1).filter(() => random() < 0.4);
  const mask: Entry[] = [[0x10, random() < 0.2 ? 0 : bits(), NO_ID]];
  setAccessList(file, [
    [0x01, bits(), NO_ID],
    ...users.map((id): Entry => [0x02, bits(), id]),
    [0x04, bits(), NO_ID],
    ...groups.map((id): Entry => [0x08, bits(), id]),
    ...(users.length + groups.length > 0 || random() < 0.5 ? mask : []),
    [0x20, bits(), NO_ID],
  ]);
};

/** Names of files and links, in directories of all owners and modes; made by root. */
export const growTree = (root: string, random: () => number, withLists: boolean): string[] => {
  const names: string[] = [];
  const directories = [root];
  const below = (n: number): string => directories[n % directories.length] as string;
  for (let n = 0; n < 40; n++) {
    const directory = path.join(below(Math.floor(random() * 1_000)), `d${n}`);
    mkdirSync(directory);
    directories.push(directory);
  }
  const files: string[] = [];
  for (const [n, directory] of directories.entries())
    for (const name of ["a", "b ü", "c\n'd"]) {
      const file = path.join(directory, `${name}${n}`);
      writeFileSync(file, "x");
      files.push(file);
    }
  for (let n = 0; n < 120; n++) {
    const link = path.join(below(Math.floor(random() * 1_000)), `l${n}`);
    const to = [...files, ...directories, ...names][Math.floor(random() * 200)] ?? "/nowhere";
    const target = [to, path.relative(path.dirname(link), to), `${to}/../${path.basename(to)}`][
      n % 3
    ];
    symlinkSync(target === undefined || target === "" ? to : target, link);
    lchownSync(link, BOB, BOB);
    names.push(link, path.join(link, "a0"), path.join(link, `../${path.basename(to)}`));
  }
  for (let n = 0; n < 10; n++) {
    const link = path.join(below(n * 7), `h${n}`);
    linkSync(files[n * 3] ?? "", link);
    names.push(link);
  }
  for (const one of [...files, ...directories.slice(1)]) dress(one, random, withLists);
  return [...files, ...names];
};
