import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";

const PIECE = Buffer.alloc(65_536, "x");

/** Fills a small disk to its last byte. */
const fill = (directory: string): string => {
  const file = path.join(directory, "filler");
  const fd = openSync(file, "w");
  try {
    for (let length = PIECE.length; length >= 1; length = Math.floor(length / 2))
      try {
        for (;;) writeSync(fd, PIECE, 0, length);
      } catch {
        // No room for a piece so long.
      }
  } finally {
    closeSync(fd);
  }
  return file;
};

const fullDisk: Fault = {
  name: "full-disk",
  takes: "all",
  daemon: true,
  weight: 3,
  unusable: ({ noSmallDisks }) => noSmallDisks,
  inflict: async ({ stage, targets, pick, between, hold }) => {
    const { daemon, bounds } = stage;
    const which = pick(["state", "run", "both"] as const);
    const directories = {
      state: [daemon.stateDir],
      run: [daemon.runtimeDir],
      both: [daemon.stateDir, daemon.runtimeDir],
    }[which];
    const count = Math.round(between(0, 3));
    const killed = targets.slice(0, count);
    const fillers: string[] = [];
    try {
      fillers.push(...directories.map(fill));
      await hold(1_000, 3_000);
      for (const target of killed) signalOwn(pairOf(stage, target).ffmpeg, "SIGKILL");
      await hold(2_000, 20_000);
    } finally {
      for (const file of fillers) rmSync(file, { force: true });
    }
    return {
      detail: `${which}, and ${count} FFmpegs killed meanwhile`,
      boundMs: Math.max(bounds.receiver, bounds.input),
      unharmed: targets.slice(count),
    };
  },
};

export const FULL: readonly Fault[] = [fullDisk];
