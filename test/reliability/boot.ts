import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { type DaemonOptions, startDaemon } from "../helpers/daemon.ts";
import type { RtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";
import { mostOverlapping, mostWithin, watchStarting } from "./starting.ts";

/** Times in milliseconds, counted from when the daemon is started. */
export type Boot = {
  readonly streams: number;
  /** Until the first and the last one were publishing, by the receiver. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Until the daemon called all of them live. */
  readonly allLiveMs: number;
  /** The stream that was on the air first. */
  readonly first: string;
  /** FFmpegs that were started before it was. */
  readonly startedBeforeFirst: number;
  /** From FFmpeg's start until the receiver had its publisher, the median and the longest. */
  readonly launchMs: { readonly median: number; readonly longest: number };
  /** Most FFmpegs that ran and were not publishing yet, and most that were started within 200 ms. */
  readonly mostStarting: number;
  readonly mostStartedIn200Ms: number;
  readonly mostProbes: number;
  /** Processes that wanted a processor, on average and at most. */
  readonly running: { readonly mean: number; readonly most: number };
  /** How long `stream.status` took meanwhile: median, and longest. */
  readonly answerMs: { readonly median: number; readonly longest: number };
  readonly restarts: number;
  /** Most streams that said at one moment that they wait for their turn. */
  readonly mostWaiting: number;
};

const ASK_MS = 200;

export const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The boot of a machine with so many streams: none runs, every one of them should. */
export const measureBoot = async (
  count: number,
  server: RtmpServer,
  inputs: readonly string[],
  options: DaemonOptions = {},
): Promise<Boot> => {
  const names = Array.from({ length: count }, (_, at) => `s${String(at).padStart(3, "0")}`);
  const room = String(2 * count);
  const daemon = await startDaemon({
    ...options,
    env: {
      ...options.env,
      MAX_CONCURRENT_STREAMS_PER_USER: room,
      MAX_CONCURRENT_STREAMS_GLOBAL: room,
    },
  });
  try {
    for (const [at, name] of names.entries()) {
      const input = inputs[at % inputs.length] ?? "";
      await daemon.rpc("stream.add", { name, input, to: `${server.url}/${name}` });
    }
    await daemon.kill("SIGKILL");
    const specs = path.join(daemon.stateDir, "streams");
    for (const file of readdirSync(specs).map((name) => path.join(specs, name))) {
      const record = JSON.parse(readFileSync(file, "utf8")) as object;
      writeFileSync(file, JSON.stringify({ ...record, desired: "running" }));
    }
    const watch = watchStarting(daemon);
    const begun = performance.now();
    const wall = Date.now();
    await daemon.start();
    const answers: number[] = [];
    let restarts = 0;
    let mostWaiting = 0;
    await until(
      "every stream is live",
      async () => {
        const asked = performance.now();
        const { streams } = await daemon.rpc("stream.status", {});
        answers.push(performance.now() - asked);
        restarts = streams.reduce((sum, one) => sum + one.restarts, 0);
        const waiting = streams.filter(
          ({ note }) => note?.startsWith("waits for its turn") === true,
        );
        mostWaiting = Math.max(mostWaiting, waiting.length);
        await after(ASK_MS);
        return streams.length === count && streams.every(({ state }) => state === "live");
      },
      600_000,
    );
    const allLiveMs = performance.now() - begun;
    const { ffmpegs, mostProbes, running } = watch.stop();
    const published = new Map(
      server.publishes().map(({ name, startedMs }) => [name, startedMs - wall]),
    );
    const order = [...published].toSorted(([, one], [, other]) => one - other);
    const spans = ffmpegs.map(({ stream, atMs }) => ({
      fromMs: atMs - begun,
      toMs: published.get(stream) ?? allLiveMs,
    }));
    const launches = spans.map(({ fromMs, toMs }) => toMs - fromMs);
    const firstMs = order[0]?.[1] ?? Number.NaN;
    return {
      streams: count,
      firstMs,
      startedBeforeFirst: spans.filter(({ fromMs }) => fromMs < firstMs).length,
      first: order[0]?.[0] ?? "",
      lastMs: order.at(-1)?.[1] ?? Number.NaN,
      allLiveMs,
      launchMs: { median: middle(launches), longest: Math.max(...launches) },
      mostStarting: mostOverlapping(spans),
      mostStartedIn200Ms: mostWithin(
        ffmpegs.map(({ atMs }) => atMs),
        200,
      ),
      mostProbes,
      running: {
        mean: running.reduce((sum, one) => sum + one, 0) / running.length,
        most: Math.max(...running),
      },
      answerMs: { median: middle(answers), longest: Math.max(...answers) },
      restarts,
      mostWaiting,
    };
  } finally {
    await daemon.end();
  }
};
