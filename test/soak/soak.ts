import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { until } from "../helpers/until.ts";
import { openAsk } from "./ask.ts";
import { cpuMsOf, ffmpegsOf, filesBelow } from "./census.ts";
import type { Field } from "./cycle.ts";
import { EventCount } from "./event-count.ts";
import { leg, placesFor, remove } from "./leg.ts";
import type { Measured } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { type Rest, atRest, newSeries, take } from "./sampler.ts";
import { type Stage, setStage } from "./stage.ts";
import { SteadyWatch } from "./steady.ts";
import { type Tally, newTally } from "./tally.ts";

/** How far it is, for whoever waits: about once a second. */
export type Progress = {
  readonly tally: Tally;
  readonly elapsedMs: number;
  readonly rss: number;
  /** Of the whole, 0 to 1. */
  readonly part: number;
};

/**
 * Soaks a daemon as planned. `signal` ends it early, and what there is comes back all the same. Throws
 * where it could not be carried out. Nothing is left running either way.
 */
export const soak = async (
  plan: Plan,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Measured> => {
  const stage = await setStage(plan);
  let measured: Measured;
  try {
    measured = await run(stage, plan, signal, onProgress);
  } catch (error) {
    await stage.end().catch(() => {});
    throw error;
  }
  const left = await stage.end().then(
    () => [],
    (error: unknown) => [String(error)],
  );
  return { ...measured, leftRunning: left };
};

const run = async (
  stage: Stage,
  plan: Plan,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Measured> => {
  const { daemon, server, films } = stage;
  const ask = openAsk(daemon.socket);
  const tally = newTally();
  const events = new EventCount(path.join(daemon.dir, "stdout"));
  const watched = {
    ...{ pid: daemon.pid, dir: daemon.dir },
    directories: [daemon.stateDir, daemon.runtimeDir],
  };
  const add = async (name: string): Promise<unknown> =>
    ask("stream.add", { name, input: films[0], to: `${server.plainUrl}/${name}`, loop: true });
  const look = async (name: string): Promise<unknown> =>
    daemon.rpc("stream.status", { names: [name] });
  const field: Field = { plan, ask, tally, look, add, films, signal };
  const before = filesBelow(...watched.directories).length;

  const names = Array.from({ length: plan.streams }, (_, number) => `steady-${number}`);
  for (const name of names) {
    await add(name);
    await ask("stream.start", { name });
  }
  const steady = new SteadyWatch(names, stage.bytesPerMs, server, ask);
  for (const name of names) await ask("stream.wait", { name, for: "live", waitMs: 20_000 });

  const series = newSeries();
  const rests: Rest[] = [];
  const places = placesFor(plan.parallel);
  const began = performance.now();
  const cpuBefore = cpuMsOf(daemon.pid()) ?? 0;
  const elapsed = (): number => performance.now() - began;
  const part = (): number => Math.max(tally.cycles / plan.cycles, elapsed() / plan.forMs);
  const over = new AbortController();
  let cycling = true;
  const watching = (async () => {
    while (!over.signal.aborted) {
      const from = elapsed();
      await steady.look().catch(() => {});
      // At rest there is less of everything, which would be taken for a change.
      if (cycling) take(series, watched, from);
      events.read();
      onProgress({ tally, elapsedMs: from, rss: series.rss.at(-1)?.value ?? 0, part: part() });
      const pause = Math.max(50, plan.everyMs - (elapsed() - from));
      await after(pause, undefined, { signal: over.signal }).catch(() => {});
    }
  })();

  let tookMs = 0;
  let daemonCpuMs = 0;
  try {
    for (let number = 1; number <= plan.legs && !signal.aborted; number += 1) {
      cycling = true;
      await leg(field, places, () => part() >= number / plan.legs);
      cycling = false;
      rests.push(await atRest(watched, elapsed(), stage.heap));
    }
    tookMs = elapsed();
    daemonCpuMs = (cpuMsOf(daemon.pid()) ?? 0) - cpuBefore;
  } finally {
    over.abort();
    await watching;
  }
  // What was on the air up to here was wanted there; what follows is the end.
  for (const place of places) if (place.present) await remove(field, place);
  for (const name of names) await ask("stream.remove", { name });
  await until("every FFmpeg has ended", () => ffmpegsOf(daemon.dir) === 0, 10_000).catch(() => {});
  ask.close();
  events.read();
  return {
    ...{ plan, tally, tookMs, daemonCpuMs, series, rests, steady: steady.all },
    cutShort: signal.aborted,
    forceKills: events.of("FORCE_KILL_REQUIRED"),
    errors: events.errors,
    leftRunning: [],
    ffmpegsLeft: ffmpegsOf(daemon.dir),
    filesLeft: filesBelow(...watched.directories).length - before,
  };
};
