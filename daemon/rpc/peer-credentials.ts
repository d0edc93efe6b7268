import { randomUUID } from "node:crypto";
import { Socket, createServer } from "node:net";
import { printable } from "../../shared/stream-name.ts";
import { messageOf } from "../log/message-of.ts";
import { type PeerReader, cannotBeAsked } from "./peer.ts";

/** What the kernel knows of a connection's other end. */
type Credentials = { readonly pid: number; readonly uid: number };
/** Of an open socket's descriptor. Throws where the kernel refuses. */
type ReadCredentials = (fd: number) => Credentials;

/** How connections are asked, and why they cannot be; a sentence's middle. */
export type Asking = { readonly peerOf: PeerReader; readonly whyNot: string | null };

/** The program itself, which has its C library in it or loaded, whatever that is called; then glibc. */
const LIBRARIES = [null, "libc.so.6"];
// As Linux numbers them on x86, ARM and RISC-V; where it does otherwise, the trial finds out.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** pid, uid and gid, 32 bits each. */
const UCRED_BYTES = 12;
const TRIAL_MS = 2_000;

/**
 * Finds out whether the kernel tells who is at the other end of a socket, by a connection of this
 * process to itself. Settles in time and never throws: where anything is amiss nobody is asked. The
 * native code is the daemon's only; without it everything else works.
 */
export const askTheKernel = async (load = loadNative): Promise<Asking> => {
  try {
    const read = await load();
    const whyNot = await trial(read);
    if (whyNot !== null) return { peerOf: cannotBeAsked, whyNot };
    return { peerOf: (socket) => ({ uid: read(descriptorOf(socket)).uid }), whyNot };
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
  return (fd) => {
    const credentials = new Uint32Array(3);
    const length = new Uint32Array([UCRED_BYTES]);
    const status: unknown = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
    const [pid = 0, uid = 0] = credentials;
    if (status !== 0 || length[0] !== UCRED_BYTES) throw new Error("SO_PEERCRED is refused");
    return { pid, uid };
  };
};

/** Node does not document it, hence the trial. */
const descriptorOf = (socket: Socket): number => {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  if (typeof fd !== "number" || fd < 0) throw new Error("this Node tells no descriptor");
  return fd;
};

/** Why it fails, or null. The name is in no directory: nothing to make, to protect or to leave behind. */
const trial = (read: ReadCredentials): Promise<string | null> =>
  new Promise((resolve) => {
    let seen = "it told nothing of a connection made for trial";
    const settle = (whyNot: string | null): void => {
      clearTimeout(timer);
      server.close();
      client.destroy();
      resolve(whyNot);
    };
    const timer = setTimeout(() => settle("a connection made for trial was not served"), TRIAL_MS);
    const server = createServer((socket) => {
      socket.on("error", () => {});
      try {
        const { pid, uid } = read(descriptorOf(socket));
        // Anybody may come in between; only this process is known.
        if (pid === process.pid && uid === process.geteuid?.()) settle(null);
        else seen = `it told uid ${uid} of a connection made for trial`;
      } catch (error) {
        seen = reasonOf(error);
      }
      socket.destroy();
    });
    server.on("error", (error) => settle(messageOf(error)));
    const client = new Socket();
    client.on("error", (error) => settle(messageOf(error)));
    client.on("close", () => settle(seen));
    const name = `\0streambro-${randomUUID()}`;
    server.listen(name, () => client.connect(name));
  });

const reasonOf = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  const missing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  return missing ? "the package koffi is not installed" : printable(messageOf(error));
};
