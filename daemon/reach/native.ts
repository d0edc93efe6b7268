import { constants } from "node:os";
import koffi from "koffi";
import { type AccessList, parseAccessList } from "./access-list.ts";
import { UNJUDGED } from "./walk.ts";

/** What Node cannot do: read an access list, and become another program with an open file. */
export type Native = {
  readonly accessListOf: (fd: number) => AccessList | null;
  /** Comes back only where the program cannot be run, with what the shell would end with. */
  readonly become: (command: readonly string[], fd: number, as: number) => number;
};

const ATTRIBUTE = "system.posix_acl_access";
const MOST_BYTES = 65_536;
const F_SETFD = 2;
const { ENODATA, EOPNOTSUPP, ENOENT } = constants.errno;
const { SIGPIPE, SIGXFSZ } = constants.signals;

/** Throws where the C library cannot be had. */
export const loadNative = (): Native => {
  const library = koffi.load(null);
  const getxattr = library.func(
    "intptr_t getxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)",
  );
  const value = Buffer.alloc(MOST_BYTES);
  const dup2 = library.func("int dup2(int from, int to)");
  const fcntl = library.func("int fcntl(int fd, int command, ...)");
  const signal = library.func("void *signal(int number, void *handler)");
  const execvp = library.func("int execvp(const char *file, const char **argv)");
  return {
    accessListOf: (fd) => {
      const length = Number(getxattr(`/proc/self/fd/${fd}`, ATTRIBUTE, value, MOST_BYTES));
      if (length < 0 && [ENODATA, EOPNOTSUPP].includes(koffi.errno())) return null;
      const list = length < 0 ? null : parseAccessList(value.subarray(0, length));
      if (list === null) throw Object.assign(new Error("no access list"), { code: UNJUDGED });
      return list;
    },
    become: (command, fd, as) => {
      // Nothing of Node's runs any more from here on: one of its own descriptors may be overwritten.
      if (dup2(fd, as) < 0) return 126;
      // Node keeps its standard streams from a program that takes its place, and ignores these signals.
      for (const stream of [0, 1, 2]) fcntl(stream, F_SETFD, "int", 0);
      for (const number of [SIGPIPE, SIGXFSZ]) signal(number, null);
      execvp(command[0] ?? "", [...command, null]);
      return koffi.errno() === ENOENT ? 127 : 126;
    },
  };
};
