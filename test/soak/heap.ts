import { z } from "zod";
import { until } from "../helpers/until.ts";

/** Bytes that a collection leaves: objects, and the buffers that they own. */
export type Heap = { readonly bytes: number };

/** Looks into the heap of a Node process that listens for its inspector. */
export type HeapLook = {
  /** Collects what nobody holds, and tells what is left. */
  readonly collected: () => Promise<Heap>;
  readonly close: () => void;
};

const Targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));
const Usage = z.object({ usedSize: z.number(), backingStorageSize: z.number().optional() });
const Answer = z.object({ id: z.number().optional(), result: z.unknown().optional() });

/** What makes a Node process listen for `openHeap`. */
export const listening = (port: number): Record<string, string> => ({
  NODE_OPTIONS: `--inspect=127.0.0.1:${port}`,
});

export const openHeap = async (port: number): Promise<HeapLook> => {
  const targets = await until(
    "the inspector answers",
    async () => Targets.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()),
    10_000,
  );
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  const opened = Promise.withResolvers<void>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", () => opened.reject(new Error("no inspector")));
  socket.addEventListener("close", () => {
    for (const one of waiting.values()) one.reject(new Error("the inspector has left"));
  });
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = Answer.parse(JSON.parse(String(data)));
    if (id !== undefined) waiting.get(id)?.resolve(result);
  });
  await opened.promise;
  let asked = 0;
  const ask = async (method: string): Promise<unknown> => {
    const id = (asked += 1);
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    socket.send(JSON.stringify({ id, method }));
    return answer.promise.finally(() => waiting.delete(id));
  };
  return {
    collected: async () => {
      // What the first one finalizes, the second one frees.
      for (let times = 0; times < 2; times += 1) await ask("HeapProfiler.collectGarbage");
      const usage = Usage.parse(await ask("Runtime.getHeapUsage"));
      return { bytes: usage.usedSize + (usage.backingStorageSize ?? 0) };
    },
    close: () => socket.close(),
  };
};
