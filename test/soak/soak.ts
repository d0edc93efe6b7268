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
  // Which encoders work, and what was counted: one file each, written in the background.
  const files = (): number =>
    filesBelow(...watched.directories).filter(
      (file) => !/\/(encoders|metrics)\.json(\.[^/]*)?$/.test(file),
    ).length;
  const add = async (name: string): Promise<unknown> =>
    ask("stream.add", { name, input: films[0], to: `${server.plainUrl}/${name}`, loop: true });
  const look = async (name: string): Promise<unknown> =>
    daemon.rpc("stream.status", { names: [name] });
  const field: Field = { plan, ask, tally, look, add, films, signal };
  const filesBefore = files();

  const names = Array.from({ length: plan.streams }, (_, number) => `steady-${number}`);
  await putOnTheAir(field, names);
  const steady = new SteadyWatch(names, stage.bytesPerMs, server, ask);
  const series = newSeries();
  const rests: Rest[] = [];
  const places = placesFor(plan.parallel);
  const began = performance.now();
  const cpuBefore = cpuMsOf(daemon.pid()) ?? 0;
  const elapsed = (): number => performance.now() - began;
  const part = (): number => Math.max(tally.cycles / plan.cycles, elapsed() / plan.forMs);
  let cycling = true;
  const watch = every(plan.everyMs, async () => {
    const elapsedMs = elapsed();
    await steady.look().catch(() => {});
    // At rest there is less of everything, which would be taken for a change.
    if (cycling) take(series, watched, elapsedMs);
    events.read();
    onProgress({ tally, elapsedMs, rss: series.rss.at(-1)?.value ?? 0, part: part() });
  });
  try {
    for (let number = 1; number <= plan.legs && !signal.aborted; number += 1) {
      cycling = true;
      await leg(field, places, () => part() >= number / plan.legs);
      cycling = false;
      rests.push(await atRest(watched, elapsed(), stage.heap));
    }
  } finally {
    await watch.stop();
  }
  // Up to here the steady streams were wanted on the air; what follows is the end.
  const tookMs = elapsed();
  const daemonCpuMs = (cpuMsOf(daemon.pid()) ?? 0) - cpuBefore;
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
    filesLeft: files() - filesBefore,
  };
};

const putOnTheAir = async ({ ask, add }: Field, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    await add(name);
    await ask("stream.start", { name });
  }
  for (const name of names) {
    const { outcome } = await ask("stream.wait", { name, for: "live", waitMs: 20_000 });
    if (outcome !== "reached") throw new Error(`${name} is not live after 20 s`);
  }
};

/** Again and again, so long after the beginning of the one before, until stopped; one at a time. */
const every = (ms: number, work: () => Promise<void>): { stop: () => Promise<void> } => {
  const over = new AbortController();
  const { signal } = over;
  const running = (async () => {
    while (!signal.aborted) {
      const from = performance.now();
      await work();
      const pause = Math.max(LEAST_PAUSE_MS, ms - (performance.now() - from));
      await after(pause, undefined, { signal }).catch(() => {});
    }
  })();
  // Told by stop(), and before that nobody's: it must not end the process with all that it has started.
  running.catch(() => {});
  return {
    stop: async () => {
      over.abort();
      await running;
    },
  };
};

const LEAST_PAUSE_MS = 50;
