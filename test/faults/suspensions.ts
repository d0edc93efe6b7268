import { until } from "../helpers/until.ts";
import { isAlive } from "../helpers/processes.ts";
import type { Fault } from "./fault.ts";
import { isSuspended, pairOf, signalOwn } from "./own-processes.ts";
import type { Seen } from "./process-table.ts";
import type { Stage } from "./stage.ts";

/** Stops the daemon where it stands, does something, and wakes it. */
export const whileSuspended = async (
  { daemon, times }: Stage,
  work: () => Promise<unknown>,
): Promise<void> => {
  const back = times.away();
  const pid = daemon.pid();
  process.kill(pid, "SIGSTOP");
  try {
    await work();
  } finally {
    if (daemon.running()) process.kill(pid, "SIGCONT");
    await until("streambrod answers", () => daemon.rpc("daemon.status", {}), 60_000);
    back();
  }
};

const suspend = async (some: readonly (Seen | null)[]): Promise<Seen[]> => {
  const there = some.filter((one) => one !== null && signalOwn(one, "SIGSTOP")) as Seen[];
  for (const one of there)
    await until("it stands still", () => isSuspended(one) || !isAlive(one), 5_000);
  return there;
};

const stopFfmpeg: Fault = {
  name: "suspend-ffmpeg",
  takes: 2,
  daemon: false,
  weight: 2,
  inflict: async ({ stage, targets, hold }) => {
    const stopped = await suspend(targets.map((target) => pairOf(stage, target).ffmpeg));
    await hold(1_000, 20_000);
    for (const one of stopped) signalOwn(one, "SIGCONT");
    // Its receiver may have gone, or it may have been replaced.
    return { detail: `${stopped.length} by SIGSTOP`, boundMs: stage.bounds.receiver };
  },
};

const stopRunner: Fault = {
  name: "suspend-runner",
  takes: 2,
  daemon: false,
  weight: 2,
  inflict: async ({ stage, targets, hold, random }) => {
    const pairs = targets.map((target) => pairOf(stage, target));
    const stopped = await suspend(pairs.map(({ runner }) => runner));
    const killed = random() < 0.6;
    if (killed) for (const { ffmpeg } of pairs) signalOwn(ffmpeg, "SIGKILL");
    await hold(1_000, 10_000);
    for (const one of stopped) signalOwn(one, "SIGCONT");
    const unharmed = killed ? [] : targets;
    const detail = killed ? "and FFmpeg killed meanwhile" : "and nothing else";
    return { detail, boundMs: stage.bounds.untold, unharmed };
  },
};

const stopDaemon: Fault = {
  name: "suspend-daemon",
  takes: 0,
  daemon: true,
  weight: 2,
  inflict: async ({ stage, hold }) => {
    await whileSuspended(stage, () => hold(1_000, 15_000));
    return { detail: "by SIGSTOP", boundMs: 0 };
  },
};

const stopDaemonAndKill: Fault = {
  name: "suspend-daemon-and-kill-ffmpeg",
  takes: 2,
  daemon: true,
  weight: 1,
  inflict: async ({ stage, targets, hold }) => {
    await whileSuspended(stage, async () => {
      for (const target of targets) signalOwn(pairOf(stage, target).ffmpeg, "SIGKILL");
      await hold(1_000, 10_000);
    });
    return { detail: "by SIGSTOP", boundMs: stage.bounds.killed };
  },
};

const stopAll: Fault = {
  name: "suspend-daemon-runner-and-ffmpeg",
  takes: 2,
  daemon: true,
  weight: 1,
  inflict: async ({ stage, targets, hold }) => {
    const pairs = targets.map((target) => pairOf(stage, target));
    await whileSuspended(stage, async () => {
      const stopped = await suspend(pairs.flatMap(({ runner, ffmpeg }) => [runner, ffmpeg]));
      await hold(1_000, 8_000);
      for (const one of stopped) signalOwn(one, "SIGCONT");
    });
    return { detail: "by SIGSTOP", boundMs: stage.bounds.receiver };
  },
};

export const SUSPENSIONS: readonly Fault[] = [
  stopFfmpeg,
  stopRunner,
  stopDaemon,
  stopDaemonAndKill,
  stopAll,
];
