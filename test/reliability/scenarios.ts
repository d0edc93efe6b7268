import { setTimeout as pause } from "node:timers/promises";
import type { Daemon } from "../helpers/daemon.ts";
import type { RtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";
import type { Relay } from "./relay.ts";

/** What a scenario works with; the streams are on the air, through the relay. */
export type Stage = {
  readonly daemon: Daemon;
  readonly server: RtmpServer;
  readonly relay: Relay;
  readonly names: readonly string[];
  readonly say: (sentence: string) => void;
};

const BACK_MS = 120_000;
/** Between two rounds: media flows as ever, and what was killed is not the rule. */
const REST_MS = 11_000;
const FREEZE_MS = 15_000;
const OUTAGE_MS = 10_000;

const lastMedia = ({ relay }: Stage, name: string): number =>
  Math.max(
    0,
    ...relay.connections
      .filter((one) => one.name === name)
      .map(({ lastMediaMs }) => lastMediaMs ?? 0),
  );

/** The first media on a connection that was opened since there were `known` of them. */
const firstMedia = async ({ relay }: Stage, name: string, known: number): Promise<number> =>
  until(
    `new media of ${name} arrives`,
    () =>
      relay.connections.slice(known).find((one) => one.name === name && one.firstMediaMs !== null)
        ?.firstMediaMs,
    BACK_MS,
  );

const pidOf = async ({ daemon }: Stage, name: string): Promise<number> =>
  until(
    `${name} is live`,
    async () => {
      const [one] = (await daemon.rpc("stream.status", { names: [name] })).streams;
      return one?.state === "live" ? one.pid : null;
    },
    BACK_MS,
  );

/** From the last media of an FFmpeg that is killed to the first of the next one, at the receiver. */
export const killFfmpeg = async (stage: Stage, rounds: number): Promise<number[]> => {
  const [name = ""] = stage.names;
  const gaps: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const pid = await pidOf(stage, name);
    const known = stage.relay.connections.length;
    process.kill(pid, "SIGKILL");
    const back = await firstMedia(stage, name, known);
    const before = Math.max(
      ...stage.relay.connections
        .slice(0, known)
        .filter((one) => one.name === name)
        .map(({ lastMediaMs }) => lastMediaMs ?? 0),
    );
    gaps.push(back - before);
    stage.say(`FFmpeg killed, round ${round + 1}: ${(back - before).toFixed(0)} ms`);
    await pause(Math.min(REST_MS, 1_000 + 200 * round));
  }
  return gaps;
};

/** From the moment at which a receiver that stood still goes on to the first media that it gets. */
export const freezeReceiver = async (stage: Stage, rounds: number): Promise<number[]> => {
  const [name = ""] = stage.names;
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await pidOf(stage, name);
    await stage.server.freeze();
    await pause(FREEZE_MS);
    // Behind a receiver that reads nothing, what fills the buffers between is not arrival.
    const silentSince = performance.now();
    stage.server.thaw();
    await until("media arrives", () => lastMedia(stage, name) > silentSince, BACK_MS);
    const ms = lastMedia(stage, name) - silentSince;
    took.push(ms);
    stage.say(
      `receiver stood still for ${FREEZE_MS / 1_000} s, round ${round + 1}: ${ms.toFixed(0)} ms`,
    );
    await pause(REST_MS);
  }
  return took;
};

/** The longest time without an arrival around a daemon's death and the next one's start. */
export const killDaemon = async (stage: Stage, rounds: number): Promise<number[]> => {
  const longest: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const watch = watchGaps(stage);
    await pause(500);
    await stage.daemon.kill("SIGKILL");
    await stage.daemon.start();
    await pause(1_000);
    longest.push(watch.longest());
    stage.say(`daemon killed, round ${round + 1}: longest gap ${longest.at(-1)?.toFixed(0)} ms`);
  }
  return longest;
};

/** The same where nothing happens: what a film's own pace and this machine make of it. */
export const leaveAlone = async (stage: Stage, rounds: number): Promise<number[]> => {
  const longest: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const watch = watchGaps(stage);
    await pause(2_500);
    longest.push(watch.longest());
  }
  return longest;
};

/** From the return of a host that was gone to the first media of each stream. */
export const loseHost = async (stage: Stage): Promise<number[]> => {
  for (const name of stage.names) await pidOf(stage, name);
  await stage.relay.down();
  stage.say(`the host is gone for ${OUTAGE_MS / 1_000} s, under ${stage.names.length} streams`);
  await pause(OUTAGE_MS);
  const known = stage.relay.connections.length;
  await stage.relay.up();
  const returned = performance.now();
  const first = await Promise.all(stage.names.map((name) => firstMedia(stage, name, known)));
  return first.map((at) => at - returned);
};

const watchGaps = ({ relay, names }: Stage): { longest(): number } => {
  const last = new Map(names.map((name) => [name, performance.now()]));
  let longest = 0;
  relay.onMedia = ({ name }, atMs) => {
    const before = last.get(name ?? "");
    if (before !== undefined) longest = Math.max(longest, atMs - before);
    last.set(name ?? "", atMs);
  };
  return {
    longest: () => {
      const now = performance.now();
      return Math.max(longest, ...[...last.values()].map((at) => now - at));
    },
  };
};
