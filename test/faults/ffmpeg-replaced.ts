import { chmodSync, copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";
import type { Stage } from "./stage.ts";
import { whileSuspended } from "./suspensions.ts";

const aside = ({ ffmpeg }: Stage): string => `${ffmpeg}.aside`;

const upgraded: Fault = {
  name: "ffmpeg-upgraded",
  takes: "all",
  daemon: true,
  weight: 1,
  inflict: async ({ stage, targets, hold }) => {
    const { ffmpeg, bounds } = stage;
    copyFileSync(ffmpeg, aside(stage));
    renameSync(aside(stage), ffmpeg);
    await hold(500, 2_000);
    const [first, ...others] = targets;
    if (first !== undefined) signalOwn(pairOf(stage, first).ffmpeg, "SIGKILL");
    return { detail: "by rename", boundMs: bounds.killed, unharmed: others };
  },
};

const removed: Fault = {
  name: "ffmpeg-removed",
  takes: "all",
  daemon: true,
  weight: 1,
  inflict: async ({ stage, targets, between, hold }) => {
    const { ffmpeg, bounds } = stage;
    const count = Math.round(between(1, 2));
    renameSync(ffmpeg, aside(stage));
    try {
      for (const target of targets.slice(0, count))
        signalOwn(pairOf(stage, target).ffmpeg, "SIGKILL");
      await hold(2_000, 12_000);
    } finally {
      renameSync(aside(stage), ffmpeg);
    }
    return {
      detail: `and ${count} killed meanwhile`,
      boundMs: Math.max(bounds.receiver, bounds.input),
      unharmed: targets.slice(count),
    };
  },
};

/** Says so much that a pipe which nobody empties would be full in a moment. */
const chatty = (real: string): string =>
  `#!/bin/sh\nexec '${real}' -loglevel verbose -debug_ts "$@"\n`;

/** Nobody reads FFmpeg's words while the daemon stands still: the stream must go on all the same. */
const chattyFfmpeg: Fault = {
  name: "suspend-daemon-with-a-chatty-ffmpeg",
  takes: "all",
  daemon: true,
  weight: 1,
  inflict: async (round) => {
    const { stage, targets, hold } = round;
    const { ffmpeg, bounds, violations } = stage;
    const [target] = targets;
    if (target === undefined) return { detail: "-", boundMs: 0 };
    renameSync(ffmpeg, aside(stage));
    writeFileSync(ffmpeg, chatty(aside(stage)));
    chmodSync(ffmpeg, 0o755);
    try {
      signalOwn(pairOf(stage, target).ffmpeg, "SIGKILL");
      const { arrivals } = target;
      const from = performance.now();
      while (!(arrivals.since > from && arrivals.lasts(1_000))) {
        if (performance.now() - from > bounds.killed) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const watch = arrivals.watch();
      await whileSuspended(stage, () => hold(60_000, 60_000));
      const gapMs = Math.round(watch.longestMs());
      watch.end();
      if (gapMs > MOST_GAP_MS)
        violations.broken("undisturbed", `${target.name}: chatty, and no byte for ${gapMs} ms`);
    } finally {
      rmSync(ffmpeg, { force: true });
      renameSync(aside(stage), ffmpeg);
    }
    // The program that it runs has moved; the next start has the real one again.
    return { detail: target.name, boundMs: bounds.killed, unharmed: targets.slice(1) };
  },
};

const MOST_GAP_MS = 5_000;

export const REPLACED: readonly Fault[] = [upgraded, removed, chattyFfmpeg];
