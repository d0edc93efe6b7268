import { messageOf } from "../log/message-of.ts";
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import path from "node:path";
import { serveConnection } from "./connection.ts";
import { channelOf } from "./channel.ts";
import { Crowd, MOST_CONNECTIONS } from "./crowd.ts";
import { type Peer, type PeerReader, cannotBeAsked } from "./peer.ts";
import { type Answerer, turnedAway } from "./server.ts";
import { Shares } from "./shares.ts";

/** Longest path of a Unix socket on Linux, its closing zero byte left out. */
const MOST_PATH_BYTES = 107;

export type Listener = {
  /** The one that accepts now: `mend` puts another in its place. */
  readonly server: Server;
  /**
   * Listens again where the socket's path no longer leads here, as when its directory was wiped.
   * Connections go on. `mended` says whether it had to; a sentence says why it cannot.
   */
  mend(): Promise<{ readonly mended: boolean } | { readonly message: string }>;
  close(): Promise<void>;
};
export type Listening =
  | { readonly ok: true; readonly listener: Listener }
  | { readonly ok: false; readonly message: string };

/**
 * Listens on a Unix socket of mode 0660. One that is there is asked first, and replaced only when nobody
 * answers. Accepting may fail later, without descriptors say: `onError` is told, and listening goes on. A
 * connection that `peerOf` throws for is closed, and `onError` told.
 */
export const listen = async (
  file: string,
  answer: Answerer,
  onError: (error: Error) => void,
  peerOf: PeerReader = cannotBeAsked,
): Promise<Listening> => {
  if (Buffer.byteLength(file) > MOST_PATH_BYTES) {
    return {
      ok: false,
      message: `The socket's path is longer than ${MOST_PATH_BYTES} bytes: ${file}. Set STREAMBRO_SOCKET to a shorter one.`,
    };
  }
  const sockets = new Set<Socket>();
  const crowd = new Crowd();
  const shares = new Shares();
  let closed = false;
  const open = async (): Promise<{ server: Server; identity: string }> => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let peer: Peer | null;
      try {
        peer = peerOf(socket);
      } catch (error) {
        onError(error as Error);
        return void socket.destroy();
      }
      const entered = crowd.enter(peer);
      socket.on("close", entered.leave);
      if (!entered.ok) return turnAway(socket, entered.why);
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      serveConnection(socket, answer, peer, shares);
    });
    server.maxConnections = MOST_CONNECTIONS;
    await bind(server, file);
    server.on("error", onError);
    return { server, identity: identityOf(file) };
  };
  const cannot = (error: unknown): string => `Cannot listen at ${file}: ${messageOf(error)}.`;
  let current: Awaited<ReturnType<typeof open>>;
  try {
    const taken = await whatIsInTheWay(file);
    if (taken !== null) return { ok: false, message: taken };
    current = await open();
  } catch (error) {
    return { ok: false, message: cannot(error) };
  }
  const isOurs = (): boolean => current.identity === identityOf(file);
  const mend: Listener["mend"] = async () => {
    try {
      if (closed || isOurs()) return { mended: false };
      const message = await whatIsInTheWay(file);
      if (message !== null) return { message };
      if (closed) return { mended: false };
      // With its handle libuv removes whatever its path leads to: nothing, as of now.
      current.server.close();
      current = await open();
      if (closed) current.server.close();
      return { mended: true };
    } catch (error) {
      return { message: cannot(error) };
    }
  };
  const end = (): Promise<void> => {
    closed = true;
    return close(current.server, sockets, isOurs());
  };
  return {
    ok: true,
    listener: {
      get server() {
        return current.server;
      },
      mend,
      close: end,
    },
  };
};

/** Says why, where that may be said, and reads nothing. */
const turnAway = (socket: Socket, why: string | null): void => {
  socket.on("error", () => socket.destroy());
  if (why === null) return void socket.destroy();
  socket.resume();
  channelOf(socket).end(turnedAway(why));
};

/** Tells this socket from any that comes to its path later; empty where there is none. */
const identityOf = (file: string): string => {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(file, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return "";
  }
};

/** Makes room for the socket; the sentence, where it may not. */
const whatIsInTheWay = async (file: string): Promise<string | null> => {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there === undefined) return null;
  if (!there.isSocket()) return `${file} is there and is not a socket. Move it away.`;
  if (await somebodyAnswers(file)) return `Another process answers at ${file}.`;
  unlinkSync(file);
  return null;
};

const bind = async (server: Server, file: string): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // Nobody may connect between the socket's making and its mode's setting. Binding is done when this
  // returns, so that no other file is made under this mask.
  const before = process.umask(0o117);
  try {
    server.listen(file, resolve);
  } finally {
    process.umask(before);
  }
  await promise;
  server.off("error", reject);
  chmodSync(file, 0o660);
};

const somebodyAnswers = (file: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(file);
    socket.setTimeout(2_000);
    const decide = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.on("connect", () => decide(true));
    // A listener whose queue is full is alive; only a refusal says that nobody is there.
    socket.on("error", (error: NodeJS.ErrnoException) =>
      decide(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
    );
    socket.on("timeout", () => decide(true));
  });

/**
 * Lets answers that are written reach their readers, for a moment, then ends every connection. A path
 * that leads to another's socket is left alone, and with it the handle, which would remove it.
 */
const close = async (
  server: Server,
  sockets: ReadonlySet<Socket>,
  isOurs: boolean,
): Promise<void> => {
  const closed = [...sockets].map(
    (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
  );
  if (isOurs) server.close();
  else server.unref();
  for (const socket of sockets) socket.end(() => socket.destroy());
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, 500);
  await Promise.all(closed);
  clearTimeout(timer);
};
