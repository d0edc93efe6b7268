import net from "node:net";

/** A way to a server that lets through so much at most. */
export type SlowRelay = {
  readonly port: number;
  /** Bytes per second from now on, towards the server. */
  readonly limit: (bytesPerSecond: number) => void;
  readonly close: () => void;
};

const TICK_MS = 50;

/** Takes connections on loopback and passes them on to `target`, slowly; its buffers are small. */
export const startSlowRelay = async (target: number): Promise<SlowRelay> => {
  let allowed = Number.POSITIVE_INFINITY;
  const open = new Set<net.Socket>();
  const server = net.createServer({ highWaterMark: 16_384, pauseOnConnect: true }, (from) => {
    const to = net.connect(target, "127.0.0.1");
    for (const socket of [from, to]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    to.pipe(from);
    let credit = 0;
    const timer = setInterval(() => {
      credit = Math.min(allowed, credit + (allowed * TICK_MS) / 1000);
      while (credit > 0) {
        const piece = from.read() as Buffer | null;
        if (piece === null) break;
        credit -= piece.length;
        to.write(piece);
      }
    }, TICK_MS);
    from.on("close", () => clearInterval(timer));
    from.on("end", () => to.end());
    from.on("readable", () => {});
    from.resume();
    from.pause();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
  await promise;
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    limit: (bytesPerSecond) => {
      allowed = bytesPerSecond;
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
};
