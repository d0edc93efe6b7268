/**
 * File systems that hold no film: what they show is the kernel's, or of other processes, and a link of
 * theirs can lead past every directory to what its name does not say. By their magic numbers.
 */
const REFUSED: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x1cd1, // devpts
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0xcafe4a11, // bpf
  0x62656570, // configfs
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x6e736673, // nsfs
  0x09041934, // anonymous inodes
  0x534f434b, // sockets
  0x50495045, // pipes
  0x19800202, // message queues
  0x42494e4d, // binfmt_misc
  0xf97cff8c, // selinuxfs
  0x65735543, // fusectl
]);

export const holdsNoFilm = (magic: number): boolean => REFUSED.has(magic >>> 0);
