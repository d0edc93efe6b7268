import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { processOf } from "../helpers/processes.ts";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";

/**
 * Runner and FFmpeg die while no daemon is there, and somebody else gets their numbers: the record then
 * names a process of another start time, which must be neither believed nor signalled.
 */
const pidReuse: Fault = {
  name: "pid-reuse",
  takes: 2,
  daemon: true,
  weight: 2,
  inflict: async ({ stage, targets, pick }) => {
    const decoy = stage.decoy.pid();
    const pairs = targets.map((target) => pairOf(stage, target));
    const which = pick(["FFmpeg", "runner", "both"] as const);
    await withoutDaemon(stage, () => {
      for (const [at, { name }] of targets.entries()) {
        const { runner, ffmpeg } = pairs[at] ?? { runner: null, ffmpeg: null };
        signalOwn(runner, "SIGKILL");
        signalOwn(ffmpeg, "SIGKILL");
        const pids = path.join(stage.daemon.runtimeDir, "runs", name, "pids");
        if (!existsSync(pids)) continue;
        const strangers = {
          runner: which === "FFmpeg" ? (runner?.pid ?? 2) : decoy,
          ffmpeg: which === "runner" ? (ffmpeg?.pid ?? 2) : decoy,
        };
        const starts = [runner?.startTime ?? "1", ffmpeg?.startTime ?? "1"];
        // The decoy began at another time than either.
        if (starts.includes(processOf(decoy)?.startTime ?? "")) continue;
        writeFileSync(pids, `${strangers.runner} ${starts[0]} ${strangers.ffmpeg} ${starts[1]}\n`);
      }
    });
    return { detail: `of ${which}`, boundMs: stage.bounds.untold };
  },
};

export const REUSE: readonly Fault[] = [pidReuse];
