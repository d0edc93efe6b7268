import net from "node:net";

/** One connection of a publisher's, as it arrived before the receiver; times by `performance.now()`. */
export type Connection = {
  /** The stream's name, as FFmpeg gave it; null before that. */
  name: string | null;
  /** Bytes since the receiver has accepted the publisher; null before that. */
  mediaBytes: number | null;
  /** The first moment at which there was more than headers, and the last at which anything came. */
  firstMediaMs: number | null;
  lastMediaMs: number | null;
  closedMs: number | null;
};

export type Relay = {
  readonly port: number;
  readonly connections: readonly Connection[];
  /** Called at each arrival of media. */
  onMedia: (connection: Connection, atMs: number) => void;
  /** As a host that is gone: ends every connection, and refuses new ones. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
};

/** What a publisher sends before its first picture: the description and the codecs' headers. */
const HEADER_BYTES = 4_096;
const BEGINNING_BYTES = 16_384;

/** The name in RTMP's command `publish`: after a number and a null, as a string with its length. */
const publishedName = (text: string): string | null => {
  const number = text.indexOf("publish\0") + "publish\0".length;
  const from = number + 8 + 1 + 3;
  if (number < "publish\0".length || text.length < from) return null;
  const bytes = text.charCodeAt(from - 2) * 256 + text.charCodeAt(from - 1);
  return text.length < from + bytes ? null : text.slice(from, from + bytes);
};

/** Stands before a receiver on this machine and notes when media arrives, at no cost in time. */
export const startRelay = async (target: number): Promise<Relay> => {
  const sockets = new Set<net.Socket>();
  const connections: Connection[] = [];

  const take = (client: net.Socket): void => {
    const connection: Connection = {
      ...{ name: null, mediaBytes: null, firstMediaMs: null, lastMediaMs: null, closedMs: null },
    };
    connections.push(connection);
    const receiver = net.connect(target, "127.0.0.1");
    let sent = "";
    let answered = "";
    client.on("data", (chunk) => {
      const atMs = performance.now();
      if (connection.name === null && sent.length < BEGINNING_BYTES) {
        sent += chunk.toString("latin1");
        connection.name = publishedName(sent);
      }
      if (connection.mediaBytes === null) return;
      connection.mediaBytes += chunk.length;
      if (connection.mediaBytes < HEADER_BYTES) return;
      connection.firstMediaMs ??= atMs;
      connection.lastMediaMs = atMs;
      relay.onMedia(connection, atMs);
    });
    receiver.on("data", (chunk) => {
      if (connection.mediaBytes !== null || answered.length > BEGINNING_BYTES) return;
      answered += chunk.toString("latin1");
      if (answered.includes("NetStream.Publish.Start")) connection.mediaBytes = 0;
    });
    client.pipe(receiver);
    receiver.pipe(client);
    for (const [one, other] of [
      [client, receiver],
      [receiver, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => {
        sockets.delete(one);
        connection.closedMs ??= performance.now();
        other.destroy();
      });
    }
  };

  let server = net.createServer(take);
  const listen = async (port: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve());
    await promise;
  };
  await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const relay: Relay = {
    port,
    connections,
    onMedia: () => {},
    down: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
      await promise;
    },
    up: async () => {
      server = net.createServer(take);
      await listen(port);
    },
  };
  return relay;
};
