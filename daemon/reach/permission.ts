import type { AccessList } from "./access-list.ts";

/** Whose right is judged; the groups hold all of them. */
export type Who = { readonly uid: number; readonly groups: ReadonlySet<number> };

export type Inode = {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

export const READ = 4;
export const SEARCH = 1;

/**
 * Whether a user without privileges may do `want`, by the kernel's own rule: the first class that fits
 * decides, whatever the others would allow. `list` is asked for where it counts only.
 */
export const mayAccess = (
  inode: Inode,
  list: () => AccessList | null,
  who: Who,
  want: number,
): boolean => {
  const { mode, uid, gid } = inode;
  if (who.uid === uid) return grants(mode >> 6, want);
  // Where there is a list, these are its mask: without one bit of it, the list is not looked at.
  const entries = (mode & 0o070) === 0 ? null : list();
  if (entries !== null) return byList(entries, gid, who, want);
  return grants(who.groups.has(gid) ? mode >> 3 : mode, want);
};

const byList = (list: AccessList, gid: number, who: Who, want: number): boolean => {
  const mask = list.mask ?? 7;
  const own = list.users.find(({ id }) => id === who.uid);
  if (own !== undefined) return grants(own.bits & mask, want);
  const groups = [{ id: gid, bits: list.group }, ...list.groups].filter(({ id }) =>
    who.groups.has(id),
  );
  // One of them has to grant all that is wanted; and who is in one is not among the others.
  if (groups.length > 0) return groups.some(({ bits }) => grants(bits & mask, want));
  return grants(list.other, want);
};

const grants = (bits: number, want: number): boolean => (bits & want) === want;
