import type { Socket } from "node:net";

/** How long a reader is given to take the last that it is told. */
const LAST_WORD_MS = 2_000;

/** A connection on which the daemon may speak unasked. */
export type Channel = {
  /** One message, without its newline. */
  send(line: string): void;
  /** Bytes that are written and not taken by the kernel yet. */
  unread(): number;
  /** A last message, and the end of the connection, read or not. */
  end(line: string): void;
};

export const channelOf = (socket: Socket): Channel => ({
  send: (line) => {
    if (socket.writable) socket.write(`${line}\n`);
  },
  unread: () => socket.writableLength,
  end: (line) => {
    if (!socket.writable) return;
    socket.end(`${line}\n`);
    const timer = setTimeout(() => socket.destroy(), LAST_WORD_MS);
    socket.once("close", () => clearTimeout(timer));
  },
});
