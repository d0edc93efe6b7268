import { until } from "../helpers/until.ts";
import { DAEMON_START_MS } from "./bounds.ts";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault, Round } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";

const namesOf = ({ targets }: Round): string => targets.map(({ name }) => name).join(" ");

const killFfmpeg: Fault = {
  name: "kill-ffmpeg",
  takes: 3,
  daemon: false,
  weight: 3,
  inflict: async (round) => {
    const { stage, targets, pick } = round;
    const signal = pick(["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"] as const);
    for (const target of targets) signalOwn(pairOf(stage, target).ffmpeg, signal);
    return { detail: signal, boundMs: stage.bounds.killed };
  },
};

const killRunner: Fault = {
  name: "kill-runner",
  takes: 2,
  daemon: false,
  weight: 2,
  inflict: async ({ stage, targets, hold }) => {
    for (const target of targets) signalOwn(pairOf(stage, target).runner, "SIGKILL");
    await hold(1_000, 4_000);
    return { detail: "SIGKILL", boundMs: 0, unharmed: targets };
  },
};

const killPair: Fault = {
  name: "kill-runner-and-ffmpeg",
  takes: 2,
  daemon: false,
  weight: 2,
  inflict: async ({ stage, targets, random }) => {
    const runnerFirst = random() < 0.5;
    for (const target of targets) {
      const { runner, ffmpeg } = pairOf(stage, target);
      const order = runnerFirst ? [runner, ffmpeg] : [ffmpeg, runner];
      for (const one of order) signalOwn(one, "SIGKILL");
    }
    const detail = runnerFirst ? "runner first" : "FFmpeg first";
    return { detail, boundMs: stage.bounds.untold };
  },
};

const killAgain: Fault = {
  name: "kill-ffmpeg-again-and-again",
  takes: 1,
  daemon: false,
  weight: 1,
  inflict: async ({ stage, targets, between }) => {
    const times = Math.round(between(3, 6));
    const [target] = targets;
    if (target === undefined) return { detail: "-", boundMs: 0 };
    for (let n = 0; n < times; n += 1) {
      const found = await until(
        "another FFmpeg",
        () => pairOf(stage, target).ffmpeg,
        stage.bounds.untold + 4 * DAEMON_START_MS,
      );
      signalOwn(found, "SIGKILL");
    }
    return { detail: `${times} times`, boundMs: stage.bounds.killed };
  },
};

const killDaemon: Fault = {
  name: "kill-daemon",
  takes: 0,
  daemon: true,
  weight: 4,
  inflict: async ({ stage, between, hold }) => {
    const times = Math.round(between(1, 3));
    for (let n = 0; n < times; n += 1) await withoutDaemon(stage, () => hold(0, 4_000));
    return { detail: `${times} times`, boundMs: 0 };
  },
};

const killEverything: Fault = {
  name: "kill-daemon-runner-and-ffmpeg",
  takes: 4,
  daemon: true,
  weight: 2,
  inflict: async (round) => {
    const { stage, targets, random, hold } = round;
    const pairs = targets.map((target) => pairOf(stage, target));
    const ffmpegToo = pairs.map(() => random() < 0.7);
    await withoutDaemon(stage, async () => {
      for (const [at, { runner, ffmpeg }] of pairs.entries()) {
        signalOwn(runner, "SIGKILL");
        if (ffmpegToo[at] === true) signalOwn(ffmpeg, "SIGKILL");
      }
      await hold(0, 3_000);
    });
    return { detail: namesOf(round), boundMs: stage.bounds.untold };
  },
};

export const KILLS: readonly Fault[] = [
  killFfmpeg,
  killRunner,
  killPair,
  killAgain,
  killDaemon,
  killEverything,
];
