import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";

const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true });

const one: Fault = {
  name: "lost-run-directory",
  takes: 2,
  daemon: false,
  weight: 2,
  inflict: async ({ stage, targets, pick, hold }) => {
    const how = pick(["and nothing else", "and its runner", "and its runner and FFmpeg"] as const);
    for (const target of targets) {
      const { runner, ffmpeg } = pairOf(stage, target);
      remove(path.join(stage.daemon.runtimeDir, "runs", target.name));
      if (how !== "and nothing else") signalOwn(runner, "SIGKILL");
      if (how === "and its runner and FFmpeg") signalOwn(ffmpeg, "SIGKILL");
    }
    await hold(0, 5_000);
    // At an item's end FFmpeg looks for its list, and may find it gone.
    return { detail: how, boundMs: Math.max(stage.bounds.input, stage.bounds.untold) };
  },
};

const oneWithoutDaemon: Fault = {
  name: "lost-run-directory-and-daemon",
  takes: 2,
  daemon: true,
  weight: 1,
  inflict: async ({ stage, targets, hold }) => {
    await withoutDaemon(stage, async () => {
      for (const { name } of targets) remove(path.join(stage.daemon.runtimeDir, "runs", name));
      await hold(0, 2_000);
    });
    return { detail: "killed", boundMs: Math.max(stage.bounds.input, stage.bounds.untold) };
  },
};

const all: Fault = {
  name: "wiped-runtime-directory",
  takes: "all",
  daemon: true,
  weight: 1,
  inflict: async ({ stage, random, hold }) => {
    const { runtimeDir } = stage.daemon;
    // The directory itself is a mount, where it can be one.
    const wipe = (): void => {
      for (const name of readdirSync(runtimeDir)) remove(path.join(runtimeDir, name));
    };
    const killed = random() < 0.5;
    if (killed) await withoutDaemon(stage, wipe);
    else wipe();
    await hold(1_000, 4_000);
    const detail = killed ? "while no daemon was there" : "under the daemon";
    return { detail, boundMs: Math.max(stage.bounds.input, stage.bounds.untold) };
  },
};

export const LOST: readonly Fault[] = [one, oneWithoutDaemon, all];
