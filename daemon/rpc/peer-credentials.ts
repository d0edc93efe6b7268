import { randomUUID } from "node:crypto";
import { Socket, createServer } from "node:net";
import { printable } from "../../shared/stream-name.ts";
import { messageOf } from "../log/message-of.ts";
import { type PeerReader, cannotBeAsked } from "./peer.ts";

/** What the kernel knows of a connection's other end; `groups` null where it does not tell them all. */
type Credentials = {
  /** For the trial alone: a process that is gone may have left its number to another. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[] | null;
};
/** Of an open socket's descriptor. Throws where the kernel refuses. */
type ReadCredentials = (fd: number) => Credentials;

/** How connections are asked, and why they cannot be; a sentence's middle. */
export type Asking = { readonly peerOf: PeerReader; readonly whyNot: string | null };

/** The program itself, which has its C library in it or loaded, whatever that is called; then glibc. */
const LIBRARIES = [null, "libc.so.6"];
// As Linux numbers them on x86, ARM and RISC-V; where it does otherwise, the trial finds out.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
/** pid, uid and gid, 32 bits each. */
const UCRED_BYTES = 12;
const GID_BYTES = 4;
/** What nearly everybody has room in, and the most that Linux lets a process have. */
const USUAL_GROUPS = 64;
const NGROUPS_MAX = 65_536;
const TRIAL_MS = 2_000;

/**
 * Finds out whether the kernel tells who is at the other end of a socket, by a connection of this
 * process to itself. Settles in time and never throws: where anything is amiss nobody is asked. The
 * native code is the daemon's only; without it everything else works.
 */
export const askTheKernel = async (load = loadNative): Promise<Asking> => {
  try {
    const read = await load();
    const tried = await trial(read);
    if (!tried.ok) return { peerOf: cannotBeAsked, whyNot: tried.whyNot };
    const peerOf: PeerReader = (socket) => {
      const { uid, gid, groups } = read(descriptorOf(socket));
      return { uid, groups: [gid, ...((tried.groupsToo ? groups : null) ?? [])] };
    };
    return { peerOf, whyNot: null };
  } catch (error) {
    return { peerOf: cannotBeAsked, whyNot: reasonOf(error) };
  }
};

const loadNative = async (): Promise<ReadCredentials> => {
  const { default: koffi } = await import("koffi");
  const prototype = "int getsockopt(int, int, int, _Out_ uint32_t *, _Inout_ uint32_t *)";
  const open = (names: typeof LIBRARIES): ReturnType<ReturnType<typeof koffi.load>["func"]> => {
    const [name = null, ...others] = names;
    try {
      return koffi.load(name).func(prototype);
    } catch (error) {
      if (others.length === 0) throw error;
      return open(others);
    }
  };
  const getsockopt = open(LIBRARIES);
  /** How many bytes there are, and whether they were read. */
  const ask = (fd: number, what: number, into: Uint32Array): { bytes: number; read: boolean } => {
    const length = new Uint32Array([into.byteLength]);
    const status: unknown = getsockopt(fd, SOL_SOCKET, what, into, length);
    return { bytes: length[0] ?? 0, read: status === 0 };
  };
  /** Null where the kernel does not know the question, as before Linux 4.13. */
  const groupsOf = (fd: number, room: number): number[] | null => {
    const groups = new Uint32Array(room);
    const { bytes, read } = ask(fd, SO_PEERGROUPS, groups);
    const count = bytes / GID_BYTES;
    if (read) return [...groups.subarray(0, count)];
    // Too little room: it has said how much is needed.
    return count > room && count <= NGROUPS_MAX ? groupsOf(fd, count) : null;
  };
  return (fd) => {
    const credentials = new Uint32Array(3);
    const { bytes, read } = ask(fd, SO_PEERCRED, credentials);
    const [pid = 0, uid = 0, gid = 0] = credentials;
    if (!read || bytes !== UCRED_BYTES) throw new Error("SO_PEERCRED is refused");
    return { pid, uid, gid, groups: groupsOf(fd, USUAL_GROUPS) };
  };
};

/** Node does not document it, hence the trial. */
const descriptorOf = (socket: Socket): number => {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  if (typeof fd !== "number" || fd < 0) throw new Error("this Node tells no descriptor");
  return fd;
};

/** Whether it works; `groupsToo`: the groups that were told are this process's own. */
type Tried =
  | { readonly ok: true; readonly groupsToo: boolean }
  | { readonly ok: false; readonly whyNot: string };

/** The name is in no directory: nothing to make, to protect or to leave behind. */
const trial = (read: ReadCredentials): Promise<Tried> =>
  new Promise((resolve) => {
    let seen = "it told nothing of a connection made for trial";
    const settle = (tried: Tried): void => {
      clearTimeout(timer);
      server.close();
      client.destroy();
      resolve(tried);
    };
    const fail = (whyNot: string): void => settle({ ok: false, whyNot });
    const timer = setTimeout(() => fail("a connection made for trial was not served"), TRIAL_MS);
    const server = createServer((socket) => {
      socket.on("error", () => {});
      try {
        const { pid, uid, gid, groups } = read(descriptorOf(socket));
        // Anybody may come in between; only this process is known.
        if (pid === process.pid && uid === process.geteuid?.())
          settle({ ok: true, groupsToo: groups !== null && areOwn([gid, ...groups]) });
        else seen = `it told uid ${uid} of a connection made for trial`;
      } catch (error) {
        seen = reasonOf(error);
      }
      socket.destroy();
    });
    server.on("error", (error) => fail(messageOf(error)));
    const client = new Socket();
    client.on("error", (error) => fail(messageOf(error)));
    client.on("close", () => fail(seen));
    const name = `\0streambro-${randomUUID()}`;
    server.listen(name, () => client.connect(name));
  });

const areOwn = (groups: readonly number[]): boolean => {
  const own = new Set(process.getgroups?.());
  return new Set(groups).size === own.size && groups.every((gid) => own.has(gid));
};

const reasonOf = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  const missing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  return missing ? "the package koffi is not installed" : printable(messageOf(error));
};
