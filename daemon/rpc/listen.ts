import { messageOf } from "../log/message-of.ts";
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import path from "node:path";
import { serveConnection } from "./connection.ts";
import type { Answerer } from "./server.ts";

/** Longest path of a Unix socket on Linux, its closing zero byte left out. */
const MOST_PATH_BYTES = 107;
const MOST_CONNECTIONS = 512;

export type Listener = { readonly server: Server; close(): Promise<void> };
export type Listening =
  | { readonly ok: true; readonly listener: Listener }
  | { readonly ok: false; readonly message: string };

/**
 * Listens on a Unix socket of mode 0660. One that is there is asked first, and replaced only when nobody
 * answers. Accepting may fail later, without descriptors say: `onError` is told, and listening goes on.
 */
export const listen = async (
  file: string,
  answer: Answerer,
  onError: (error: Error) => void,
): Promise<Listening> => {
  if (Buffer.byteLength(file) > MOST_PATH_BYTES) {
    return {
      ok: false,
      message: `The socket's path is longer than ${MOST_PATH_BYTES} bytes: ${file}. Set STREAMBRO_SOCKET to a shorter one.`,
    };
  }
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveConnection(socket, answer);
  });
  server.maxConnections = MOST_CONNECTIONS;
  try {
    const taken = await whatIsInTheWay(file);
    if (taken !== null) return { ok: false, message: taken };
    await bind(server, file);
  } catch (error) {
    return { ok: false, message: `Cannot listen at ${file}: ${messageOf(error)}.` };
  }
  server.on("error", onError);
  return { ok: true, listener: { server, close: () => close(server, sockets) } };
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
  // Nobody may connect between the socket's making and its mode's setting.
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(file, () => {
        server.off("error", reject);
        resolve();
      });
    });
    chmodSync(file, 0o660);
  } finally {
    process.umask(before);
  }
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

/** Lets answers that are written reach their readers, for a moment, then ends every connection. */
const close = async (server: Server, sockets: ReadonlySet<Socket>): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const socket of sockets) socket.end(() => socket.destroy());
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, 500);
  await closed;
  clearTimeout(timer);
};
