import { setTimeout as after } from "node:timers/promises";
import { call } from "../helpers/rpc.ts";
import { until } from "../helpers/until.ts";
import { censusOf } from "../soak/census.ts";
import { type HeapLook, openHeap } from "../soak/heap.ts";
import { quantile } from "../soak/statistics.ts";
import { MANNERS, badClient, holdOpen } from "./bad-clients.ts";
import { ANSWER_MS, PASSED_PROGRAMS } from "./bounds.ts";
import type { Fault, Round } from "./fault.ts";
import { messagesFrom } from "./messages.ts";
import type { Stage } from "./stage.ts";

const AT_ONCE = 6;
const PER_CONNECTION = 120;
/** More than the daemon lets in at once. */
const HELD_OPEN = 700;
const MOST_CONNECTIONS = 512;
/**
 * What was held may not stay: the heap is compared after a collection. Before one V8 keeps garbage for as
 * long as it has no need of the room, which has a bound of its own.
 */
const MOST_HEAP_MORE = 8 * 1_048_576;
const MOST_RSS = 400 * 1_048_576;
const BACK_MS = 30_000;
/** Messages of a second flood, where the first has left something. */
const AGAIN = 3_000;
const GOOD_EVERY_MS = 150;

/** A client that behaves asks all the while; how long it waited, in milliseconds. */
const goodClient = (stage: Stage): { readonly waits: number[]; stop(): Promise<void> } => {
  const over = new AbortController();
  const waits: number[] = [];
  const running = (async () => {
    while (!over.signal.aborted) {
      const asked = performance.now();
      const failed = await call(stage.daemon.socket, "daemon.status", {}).then(() => null, String);
      waits.push(performance.now() - asked);
      const permittedMs = ANSWER_MS + stage.machine.allowance(PASSED_PROGRAMS);
      const tookMs = performance.now() - asked;
      if (failed !== null || tookMs > permittedMs) {
        const text = `a good client waited ${Math.round(tookMs)} ms: ${failed ?? "then it was served"}`;
        stage.violations.broken("daemon-alive", text, "good client");
      }
      await after(GOOD_EVERY_MS);
    }
  })();
  return {
    waits,
    stop: async () => {
      over.abort();
      await running;
    },
  };
};

const flood = async ({ stage, pick, random }: Round, count: number): Promise<number> => {
  const next = messagesFrom(random);
  let messages = 0;
  let answers = 0;
  const one = async (): Promise<void> => {
    while (messages < count) {
      const some = Math.min(PER_CONNECTION, count - messages);
      // Counted at once, or six clients would each send the last ones.
      messages += some;
      const sent = await badClient(stage.daemon.socket, pick(MANNERS), some, next);
      messages -= some - sent.messages;
      answers += sent.answers;
      if (sent.messages === 0) await after(50);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return answers;
};

const rpcAbuse: Fault = {
  name: "rpc-abuse",
  takes: 0,
  daemon: true,
  weight: 3,
  inflict: async (round) => {
    const { stage, number } = round;
    const { daemon, plan, violations } = stage;
    const rounds = plan.rounds.filter(({ fault }) => fault.name === "rpc-abuse");
    const isFirst = rounds[0]?.number === number;
    // The first round sends what does not divide evenly.
    const each = Math.floor(plan.messages / Math.max(1, rounds.length));
    const count = isFirst ? plan.messages - each * (rounds.length - 1) : each;
    const heap = await openHeap(stage.inspector);
    const heapBefore = (await heap.collected()).bytes;
    const before = censusOf(daemon.pid());
    const good = goodClient(stage);
    const answers = await flood(round, count);
    await good.stop();
    const letGo = await holdOpen(daemon.socket, HELD_OPEN);
    const held = censusOf(daemon.pid())?.descriptors ?? 0;
    letGo();
    const descriptors = before?.descriptors ?? 0;
    if (held > descriptors + MOST_CONNECTIONS + SLACK)
      violations.broken("no-growth", `${held} descriptors with ${HELD_OPEN} clients`);
    const what = `rpc ${number}`;
    await until(
      "its descriptors are as many as before",
      () => (censusOf(daemon.pid())?.descriptors ?? Infinity) <= descriptors + SLACK,
      BACK_MS,
    ).catch((error: unknown) => violations.broken("no-growth", String(error), what));
    const rss = censusOf(daemon.pid())?.rss ?? 0;
    if (rss > MOST_RSS)
      violations.broken("no-growth", `${mb(rss)} MB after ${count} messages`, what);
    const heapMore = (await settled(heap, heapBefore + MOST_HEAP_MORE)) - heapBefore;
    if (heapMore > MOST_HEAP_MORE) {
      // What stays once has a bound; what stays of each flood has none.
      await flood(round, Math.min(count, AGAIN));
      const again = (await settled(heap, heapBefore + heapMore)) - heapBefore;
      if (again > heapMore + MOST_HEAP_MORE / 2) {
        const text = `${mb(heapMore)} MB of heap more after ${count} messages, ${mb(again)} after ${AGAIN} others`;
        violations.broken("no-growth", text, what);
      }
    }
    heap.close();
    const [p50, worst] = [quantile(good.waits, 0.5), Math.max(...good.waits)];
    const waited = `a good client waited ${p50.toFixed(0)} ms, ${worst.toFixed(0)} at most`;
    const grown = `${mb(rss)} MB resident afterwards, of heap ${mb(heapMore)} more when collected`;
    return { detail: `${count} messages, ${answers} answers; ${waited}; ${grown}`, boundMs: 0 };
  },
};

/** What a collection leaves, once it is no more than `wanted`; a call may still be under way. */
const settled = async (heap: HeapLook, wanted: number): Promise<number> => {
  const deadline = performance.now() + BACK_MS;
  for (;;) {
    const { bytes } = await heap.collected();
    if (bytes <= wanted || performance.now() > deadline) return bytes;
    await after(1_000);
  }
};

const mb = (bytes: number): string => (bytes / 1_048_576).toFixed(1);

/** What a look at the sockets or an upkeep has open for a moment. */
const SLACK = 12;

export const ABUSE: readonly Fault[] = [rpcAbuse];
