import type { Socket } from "node:net";
import { FrameReader } from "../../shared/frames.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import { channelOf } from "./channel.ts";
import type { Peer } from "./peer.ts";
import type { Shares } from "./shares.ts";
import { type Answerer, type Caller, tooLong } from "./server.ts";

/** Requests of one connection that may be under way at once; further ones wait in the kernel. */
const MOST_UNDER_WAY = 32;
/** Answers that a client has not read; past this, nothing more is read from it. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;
/** Characters of requests that are under way at once, beside the last that was taken. */
const MOST_ASKED = 1024 * 1024;

/** Serves one client until it leaves. A client that never reads is not read from either. */
export const serveConnection = (
  socket: Socket,
  answer: Answerer,
  peer: Peer | null,
  shares: Shares,
): void => {
  const reader = new FrameReader(MAX_FRAME_BYTES);
  const gone = new AbortController();
  const share = shares.of(peer, gone.signal, () => settle());
  const caller: Caller = { gone: gone.signal, peer, channel: channelOf(socket), share };
  let underWay = 0;
  let asked = 0;
  let ended = false;
  const waiting: string[] = [];

  const isBusy = (): boolean =>
    underWay >= MOST_UNDER_WAY || asked > MOST_ASKED || socket.writableLength > MOST_UNREAD_BYTES;
  // One after another: of what one connection sends at once, no more than a batch waits elsewhere.
  const mayTake = (): boolean => !isBusy() && !share.isWaiting();
  const settle = (): void => {
    while (waiting.length > 0 && mayTake()) void take(waiting.shift() ?? "");
    if (isBusy() || waiting.length > 0) socket.pause();
    else socket.resume();
    if (ended && underWay === 0 && waiting.length === 0) socket.end();
  };
  const take = async (line: string): Promise<void> => {
    const { length } = line;
    underWay += 1;
    asked += length;
    // What it has made of answers is counted from when each is made until the kernel has taken them.
    let held = 0;
    const hold = (bytes: number): void => {
      held += bytes;
      share.hold(bytes);
    };
    const mine = { ...caller, share: { ...share, hold } };
    const reply = await share.begin(() => answer(line, mine)).catch(() => null);
    underWay -= 1;
    asked -= length;
    const release = (): void => share.hold(-held);
    if (reply !== null && socket.writable) socket.write(`${reply}\n`, release);
    else release();
    settle();
  };
  const onLine = (line: string): void => {
    if (mayTake() && waiting.length === 0) void take(line);
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
