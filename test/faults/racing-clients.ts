import { setTimeout as after } from "node:timers/promises";
import { RpcFailure, call } from "../helpers/rpc.ts";
import { until } from "../helpers/until.ts";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault, Inflicted, Round } from "./fault.ts";
import { locksOf } from "./own-processes.ts";
import { ProcessTable, pushersOf } from "./process-table.ts";

const CLIENTS = 50;

/** Fifty clients that want different things of two streams, all at once. */
const race = async ({ stage, random, pick }: Round, names: readonly string[]): Promise<number> => {
  const { daemon, targets, server } = stage;
  const input = targets[0]?.spec.input ?? "";
  const one = async (): Promise<boolean> => {
    const name = pick(names);
    const kind = random();
    const { socket } = daemon;
    try {
      if (kind < 0.3) await call(socket, "stream.start", { name });
      else if (kind < 0.55) await call(socket, "stream.stop", { name });
      else if (kind < 0.75) await call(socket, "stream.restart", { name });
      else if (kind < 0.85) await call(socket, "stream.remove", { name });
      else if (kind < 0.9) await call(socket, "stream.set", { name, loop: random() < 0.5 });
      else
        await call(socket, "stream.add", {
          name,
          input,
          to: `${server.plainUrl}/${name}`,
          loop: true,
        });
      return true;
    } catch (error) {
      // A refusal is an answer; a daemon that was killed meanwhile gives none.
      return error instanceof RpcFailure;
    }
  };
  const answered = await Promise.all(Array.from({ length: CLIENTS }, one));
  return answered.filter(Boolean).length;
};

const racingClients: Fault = {
  name: "racing-clients",
  takes: 0,
  daemon: true,
  weight: 3,
  inflict: (round) => raced(round, false),
};

const racingWhileKilled: Fault = {
  name: "racing-clients-and-kill-daemon",
  takes: 0,
  daemon: true,
  weight: 1,
  inflict: (round) => raced(round, true),
};

const raced = async (round: Round, isKilled: boolean): Promise<Inflicted> => {
  const { stage, number, hold, between } = round;
  const { daemon, server, targets, violations } = stage;
  const names = [`race-${number}-a`, `race-${number}-b`];
  const input = targets[0]?.spec.input ?? "";
  for (const name of names)
    await daemon
      .rpc("stream.add", { name, input, to: `${server.plainUrl}/${name}`, loop: true })
      .catch(() => {});
  let answered = 0;
  for (let wave = 0; wave < 3; wave += 1) {
    const racing = race(round, names);
    if (isKilled) {
      // In the middle of what they want.
      await after(between(20, 600));
      await withoutDaemon(stage);
    }
    answered += await racing;
    await hold(200, 2_000);
  }
  // Whoever came out on top, a removal is the end of it.
  await until(
    "both are gone",
    async () => {
      const { streams } = await daemon.rpc("stream.status", {});
      const left = streams.filter(({ name }) => names.includes(name));
      for (const { name } of left) await daemon.rpc("stream.remove", { name });
      return left.length === 0;
    },
    90_000,
  );
  const locks = locksOf(stage);
  const markers = names.map((name) => `${locks}/${name}`);
  const left = pushersOf(new ProcessTable().look(), locks).filter(({ marker }) =>
    markers.includes(marker ?? ""),
  );
  for (const { pid, marker } of left)
    violations.broken("no-stray", `FFmpeg ${pid} of ${marker}, which was removed`);
  if (!isKilled && answered < 3 * CLIENTS)
    violations.broken(
      "daemon-alive",
      `${3 * CLIENTS - answered} of ${3 * CLIENTS} clients got no answer`,
    );
  return { detail: `${answered} of ${3 * CLIENTS} answered`, boundMs: 0 };
};

export const RACES: readonly Fault[] = [racingClients, racingWhileKilled];
