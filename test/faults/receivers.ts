import { type Fault, RTMP, type Round } from "./fault.ts";
import { receiverOf } from "./target.ts";

const common = { takes: 2, daemon: false, weight: 2 } as const;

/** A receiver that does something for a while, and is well again afterwards. */
const forAWhile =
  (
    begin: (round: Round) => Promise<string> | string,
    least: number,
    most: number,
    bound: "receiver" | "stalled",
  ): Fault["inflict"] =>
  async (round) => {
    const detail = await begin(round);
    await round.hold(least, most);
    for (const target of round.targets) {
      round.stage.hooks.rejectKey(target.key, false);
      await receiverOf(target).pass();
    }
    return { detail, boundMs: round.stage.bounds[bound] };
  };

const refuses: Fault = {
  ...common,
  name: "receiver-refuses",
  inflict: forAWhile(
    async ({ targets }) => {
      for (const target of targets) await receiverOf(target).refuse();
      return "nobody listens";
    },
    1_000,
    25_000,
    "receiver",
  ),
};

const rejects: Fault = {
  ...common,
  name: "receiver-rejects",
  kinds: RTMP,
  inflict: forAWhile(
    async ({ targets, stage }) => {
      for (const { key, relay } of targets) {
        stage.hooks.rejectKey(key, true);
        // What is connected is cut; from now on it is nginx that says no.
        relay?.cutAfter(0);
        await relay?.pass();
      }
      return "403 of on_publish";
    },
    2_000,
    20_000,
    "receiver",
  ),
};

const resets: Fault = {
  ...common,
  name: "receiver-resets",
  kinds: RTMP,
  weight: 1,
  inflict: forAWhile(
    ({ targets }) => {
      for (const { relay } of targets) relay?.reset();
      return "every connection is reset";
    },
    1_000,
    12_000,
    "receiver",
  ),
};

const closesEarly: Fault = {
  ...common,
  name: "receiver-closes-early",
  kinds: RTMP,
  inflict: forAWhile(
    ({ targets, between }) => {
      const bytes = Math.round(between(100, 300_000));
      for (const { relay } of targets) relay?.cutAfter(bytes);
      return `after ${bytes} bytes`;
    },
    4_000,
    20_000,
    "receiver",
  ),
};

const isSilent: Fault = {
  ...common,
  name: "receiver-never-answers",
  kinds: RTMP,
  weight: 1,
  inflict: forAWhile(
    ({ targets }) => {
      for (const { relay } of targets) relay?.hush();
      return "no answer to a handshake";
    },
    4_000,
    20_000,
    "stalled",
  ),
};

const stalls: Fault = {
  ...common,
  name: "receiver-stalls",
  weight: 3,
  inflict: forAWhile(
    ({ targets }) => {
      for (const target of targets) receiverOf(target).stall();
      return "takes no byte";
    },
    3_000,
    45_000,
    "stalled",
  ),
};

const flaps: Fault = {
  ...common,
  name: "receiver-flaps",
  takes: 1,
  weight: 1,
  inflict: async ({ stage, targets, between, hold }) => {
    const times = Math.round(between(3, 7));
    for (let n = 0; n < times; n += 1) {
      for (const target of targets) await receiverOf(target).refuse();
      await hold(100, 2_000);
      for (const target of targets) await receiverOf(target).pass();
      await hold(100, 3_000);
    }
    return { detail: `${times} times`, boundMs: stage.bounds.receiver };
  },
};

const crashes: Fault = {
  name: "receiver-crashes",
  takes: "all",
  daemon: false,
  weight: 1,
  inflict: async ({ stage, hold }) => {
    await stage.server.kill();
    stage.hooks.endAll();
    await hold(500, 12_000);
    await stage.server.restart();
    return { detail: "nginx killed and back", boundMs: stage.bounds.receiver };
  },
};

export const RECEIVERS: readonly Fault[] = [
  refuses,
  rejects,
  resets,
  closesEarly,
  isSilent,
  stalls,
  flaps,
  crashes,
];
