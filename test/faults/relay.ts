import net from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { Arrivals } from "./arrivals.ts";

/** A handshake and what a rejected publisher sends; more than this of one connection is media. */
const HANDSHAKE_BYTES = 8_192;

type Mode =
  | { readonly is: "pass" }
  | { readonly is: "reset" }
  | { readonly is: "silent" }
  | { readonly is: "stall" }
  | { readonly is: "cut"; readonly bytes: number };

/** What stands between one stream and its receiver, and does what networks and receivers do. */
export type Relay = {
  readonly port: number;
  readonly arrivals: Arrivals;
  /** Connections that FFmpeg has open. */
  readonly open: () => number;
  /** All is well again. */
  readonly pass: () => Promise<void>;
  /** Nobody listens; what was connected is cut. */
  readonly refuse: () => Promise<void>;
  /** Whoever connects is cut at once, and so is what was connected. */
  readonly reset: () => void;
  /** Takes every byte of a new connection and never answers; what was connected is cut. */
  readonly hush: () => void;
  /** Takes no byte any more, and lets nobody know. */
  readonly stall: () => void;
  /** Cuts every new connection after so many bytes, and what was connected at once. */
  readonly cutAfter: (bytes: number) => void;
  readonly close: () => Promise<void>;
};

/** `onOverlap` is told when a connection comes while another one is open. */
export const startRelay = async (target: number, onOverlap: () => void): Promise<Relay> => {
  const arrivals = new Arrivals();
  const pairs = new Set<{ client: net.Socket; upstream: net.Socket | null }>();
  let mode: Mode = { is: "pass" };
  let server: net.Server | null = null;

  const accept = (client: net.Socket): void => {
    client.on("error", () => {});
    if (mode.is === "reset") return void client.resetAndDestroy();
    if (pairs.size > 0) onOverlap();
    const upstream = mode.is === "silent" ? null : net.connect(target, "127.0.0.1");
    const pair = { client, upstream };
    pairs.add(pair);
    let taken = 0;
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream?.destroy();
    };
    client.on("data", (chunk: Buffer) => {
      const before = taken;
      taken += chunk.length;
      if (upstream !== null && taken > HANDSHAKE_BYTES)
        arrivals.note(chunk.length, before <= HANDSHAKE_BYTES);
      if (mode.is === "cut" && taken > mode.bytes) end();
    });
    client.on("close", end);
    if (upstream === null) return;
    upstream.on("error", end);
    upstream.on("close", end);
    upstream.pipe(client);
    if (mode.is === "stall") client.pause();
    else client.pipe(upstream);
  };

  const listen = async (port: number): Promise<number> => {
    const fresh = net.createServer(accept);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fresh.once("error", reject).listen(port, "127.0.0.1", () => resolve());
    await promise;
    server = fresh;
    const address = fresh.address();
    return typeof address === "object" && address !== null ? address.port : port;
  };
  /** Somebody may have taken the port for a moment. */
  const listenAgain = async (port: number, attempts: number): Promise<void> => {
    try {
      if (server === null) await listen(port);
    } catch (error) {
      if (attempts === 0) throw error;
      await after(250);
      await listenAgain(port, attempts - 1);
    }
  };
  const port = await listen(0);
  const cut = (): void => {
    for (const { client } of pairs) client.destroy();
  };
  const unlisten = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (server === null) resolve();
    else server.close(() => resolve());
    server = null;
    cut();
    await promise;
  };

  return {
    port,
    arrivals,
    open: () => pairs.size,
    pass: async () => {
      await listenAgain(port, 40);
      const before = mode.is;
      mode = { is: "pass" };
      if (before === "silent") cut();
      if (before !== "stall") return;
      for (const { client, upstream } of pairs) if (upstream !== null) client.pipe(upstream);
    },
    refuse: unlisten,
    reset: () => {
      mode = { is: "reset" };
      cut();
    },
    hush: () => {
      mode = { is: "silent" };
      cut();
    },
    stall: () => {
      mode = { is: "stall" };
      for (const { client, upstream } of pairs) {
        if (upstream !== null) client.unpipe(upstream);
        client.pause();
      }
    },
    cutAfter: (bytes) => {
      mode = { is: "cut", bytes };
      cut();
    },
    close: unlisten,
  };
};
