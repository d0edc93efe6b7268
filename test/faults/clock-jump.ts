import { renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";
import { receiverOf } from "./target.ts";

const HOUR_S = 3_600;
const JUMPS = [-25 * HOUR_S, -HOUR_S, -90, 90, HOUR_S, 25 * HOUR_S, 400 * 24 * HOUR_S] as const;

const worded = (seconds: number): string => `${seconds > 0 ? "+" : ""}${seconds} s`;

/**
 * The wall clock of the daemon jumps, by what stands between it and the system; the clock that only
 * goes on does not. Meanwhile one stream's FFmpeg dies, and another's receiver is away.
 */
const clockJump: Fault = {
  name: "clock-jump",
  takes: 2,
  daemon: true,
  weight: 3,
  unusable: ({ faketime }) => (faketime === null ? "faketime is not installed" : null),
  inflict: async ({ stage, targets, pick, hold }) => {
    const { daemon, faketime, bounds } = stage;
    const file = path.join(stage.dir, "faketime");
    const set = (seconds: number): void => {
      writeFileSync(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
      renameSync(`${file}.new`, file);
    };
    const variables = {
      LD_PRELOAD: faketime ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
    };
    const [first, second] = targets;
    const jumps = [pick(JUMPS), pick(JUMPS)];
    set(0);
    // Other streams' outages look as old as the clock says.
    stage.expectations.permitAll(bounds.clock);
    await withoutDaemon(stage, () => void Object.assign(daemon.env, variables));
    try {
      await hold(1_000, 2_000);
      if (second !== undefined) await receiverOf(second).refuse();
      for (const jump of jumps) {
        await hold(1_500, 4_000);
        set(jump);
        if (first !== undefined) signalOwn(pairOf(stage, first).ffmpeg, "SIGKILL");
        await hold(1_500, 5_000);
      }
    } finally {
      // Back to the true time at once, with another daemon: what it finds may be from the future.
      await withoutDaemon(stage, () => {
        for (const name of Object.keys(variables)) delete daemon.env[name];
      });
      rmSync(file, { force: true });
      stage.expectations.permitAll(0);
      if (second !== undefined) await receiverOf(second).pass();
    }
    return { detail: jumps.map(worded).join(", "), boundMs: bounds.clock };
  },
};

export const JUMPED: readonly Fault[] = [clockJump];
