import net from "node:net";
import { setTimeout as after } from "node:timers/promises";
import type { Message } from "./messages.ts";

const NEWLINE = Buffer.from("\n");
/** A daemon that reads no more is not waited for longer. */
const WRITE_MS = 20_000;

export type Sent = { readonly messages: number; readonly answers: number };

/** How a client behaves that is not one of ours. */
export const MANNERS = ["quick", "slow", "leaves at once", "half-open", "reads nothing"] as const;

/** One connection with so many messages, in the given manner; resolves when it is over. */
export const badClient = async (
  path: string,
  manner: (typeof MANNERS)[number],
  count: number,
  next: () => Message,
): Promise<Sent> => {
  const socket = net.connect({ path, allowHalfOpen: true });
  const closed = Promise.withResolvers<void>();
  let answers = 0;
  const over = new AbortController();
  socket.on("error", () => {});
  socket.on("close", () => {
    over.abort();
    closed.resolve();
  });
  if (manner === "reads nothing") socket.pause();
  else
    socket.on("data", (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) answers += 1;
    });
  socket.on("end", () => socket.end());
  let messages = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    if (over.signal.aborted || socket.write(bytes)) return;
    const drained = Promise.withResolvers<void>();
    socket.once("drain", () => drained.resolve());
    await Promise.race([
      drained.promise,
      closed.promise,
      after(WRITE_MS, undefined, { ref: false }),
    ]);
  };
  // A slow one costs time, and few bytes show as much as many.
  const most = manner === "slow" ? Math.min(count, 4) : count;
  while (messages < most && !over.signal.aborted) {
    const { bytes } = next();
    messages += 1;
    if (manner === "slow") {
      for (let at = 0; at < Math.min(bytes.length, 40); at += 4) {
        await write(bytes.subarray(at, at + 4));
        await after(5);
      }
      await write(NEWLINE);
    } else await write(Buffer.concat([bytes, NEWLINE]));
  }
  if (manner === "half-open") {
    await write(Buffer.from('{"jsonrpc":"2.0","id":1,'));
    await after(200);
  }
  if (manner === "leaves at once" || manner === "reads nothing" || manner === "half-open")
    socket.destroy();
  else socket.end();
  const late = setTimeout(() => socket.destroy(), WRITE_MS);
  await closed.promise;
  clearTimeout(late);
  return { messages, answers };
};

/** So many connections that send half a frame and wait. */
export const holdOpen = async (path: string, count: number): Promise<() => void> => {
  const sockets = Array.from({ length: count }, () => {
    const socket = net.connect(path);
    socket.on("error", () => {});
    socket.write('{"jsonrpc":');
    return socket;
  });
  await after(300);
  return () => {
    for (const socket of sockets) socket.destroy();
  };
};
