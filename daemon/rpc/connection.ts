import type { Socket } from "node:net";
import { FrameReader } from "../../shared/frames.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import { channelOf } from "./channel.ts";
import type { Peer } from "./peer.ts";
import { type Answerer, type Caller, tooLong } from "./server.ts";

/** Requests of one connection that may be under way at once; further ones wait in the kernel. */
const MOST_UNDER_WAY = 32;
/** Answers that a client has not read; past this, nothing more is read from it. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

/** Serves one client until it leaves. A client that never reads is not read from either. */
export const serveConnection = (socket: Socket, answer: Answerer, peer: Peer | null): void => {
  const reader = new FrameReader(MAX_FRAME_BYTES);
  const gone = new AbortController();
  const caller: Caller = { gone: gone.signal, peer, channel: channelOf(socket) };
  let underWay = 0;
  let ended = false;
  const waiting: string[] = [];

  const settle = (): void => {
    const busy = underWay >= MOST_UNDER_WAY || socket.writableLength > MOST_UNREAD_BYTES;
    if (busy) socket.pause();
    else if (waiting.length > 0) return void take(waiting.shift() ?? "");
    else socket.resume();
    if (ended && underWay === 0 && waiting.length === 0) socket.end();
  };
  const take = async (line: string): Promise<void> => {
    underWay += 1;
    const reply = await answer(line, caller).catch(() => null);
    underWay -= 1;
    if (reply !== null && socket.writable) socket.write(`${reply}\n`);
    settle();
  };
  const onLine = (line: string): void => {
    if (underWay < MOST_UNDER_WAY) void take(line);
    else waiting.push(line);
  };

  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk, onLine, () => socket.write(`${tooLong(MAX_FRAME_BYTES)}\n`));
    settle();
  });
  socket.on("drain", settle);
  // A client that has said all may still read its answers; half a frame at the end is nobody's.
  socket.on("end", () => {
    ended = true;
    // A client that has only finished asking ignores an empty line; to write to one that has left is an
    // error, which ends what waits for it.
    if (underWay > 0 && socket.writable) socket.write("\n");
    settle();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => gone.abort());
};
