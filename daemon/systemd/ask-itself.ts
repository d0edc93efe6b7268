import { type Socket, connect } from "node:net";
import { FrameReader } from "../../shared/frames.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import { messageOf } from "../log/message-of.ts";

const QUESTION = { jsonrpc: "2.0", id: 1, method: "daemon.status", params: {} };

/**
 * Asks this daemon how it is, in the way of every client: a connection of its own, the socket's path, a
 * real answer. Says why there was none within `withinMs`, or null. Never rejects.
 */
export const askItself = (socket: string, withinMs: number): Promise<string | null> =>
  new Promise((resolve) => {
    let connection: Socket | null = null;
    const settle = (why: string | null): void => {
      clearTimeout(timer);
      connection?.destroy();
      resolve(why);
    };
    const timer = setTimeout(() => settle(`no answer within ${withinMs.toFixed(0)} ms`), withinMs);
    try {
      connection = connect(socket);
    } catch (error) {
      return settle(messageOf(error));
    }
    const frames = new FrameReader(MAX_FRAME_BYTES);
    const hear = (line: string): void => settle(isAnswer(line) ? null : "its answer is none");
    connection.on("data", (chunk: Buffer) =>
      frames.push(chunk, hear, () => settle("its answer is too long")),
    );
    connection.on("error", (error) => settle(messageOf(error)));
    connection.on("close", () => settle("the connection was closed without an answer"));
    connection.write(`${JSON.stringify(QUESTION)}\n`);
  });

const isAnswer = (line: string): boolean => {
  try {
    return JSON.parse(line)?.result?.pid === process.pid;
  } catch {
    return false;
  }
};
