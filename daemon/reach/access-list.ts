/** A POSIX access list, without its owner's entry, which is the mode's. Bits are read 4, write 2, execute 1. */
export type AccessList = {
  readonly users: readonly Entry[];
  /** Of the file's own group. */
  readonly group: number;
  readonly groups: readonly Entry[];
  /** Null where there is none. */
  readonly mask: number | null;
  readonly other: number;
};

type Entry = { readonly id: number; readonly bits: number };

const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const TAGS = { user: 0x02, group: 0x04, groups: 0x08, mask: 0x10, other: 0x20 };

/** From the bytes of `system.posix_acl_access`; null where they are no such list. */
export const parseAccessList = (bytes: Buffer): AccessList | null => {
  if (bytes.length < HEADER || (bytes.length - HEADER) % ENTRY !== 0) return null;
  if (bytes.readUInt32LE(0) !== VERSION) return null;
  const entries = Array.from({ length: (bytes.length - HEADER) / ENTRY }, (_, n) => {
    const at = HEADER + n * ENTRY;
    return {
      tag: bytes.readUInt16LE(at),
      bits: bytes.readUInt16LE(at + 2),
      id: bytes.readUInt32LE(at + 4),
    };
  });
  const of = (tag: number): typeof entries => entries.filter((entry) => entry.tag === tag);
  const [group] = of(TAGS.group);
  const [other] = of(TAGS.other);
  const [mask] = of(TAGS.mask);
  if (group === undefined || other === undefined) return null;
  return {
    users: of(TAGS.user),
    group: group.bits,
    groups: of(TAGS.groups),
    mask: mask?.bits ?? null,
    other: other.bits,
  };
};
