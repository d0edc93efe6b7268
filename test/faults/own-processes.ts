import path from "node:path";
import { realpathSync } from "node:fs";
import { isAlive, processOf } from "../helpers/processes.ts";
import { ProcessTable, type Seen, pushersOf } from "./process-table.ts";
import type { Stage } from "./stage.ts";
import type { Target } from "./target.ts";

export type Pair = { readonly ffmpeg: Seen | null; readonly runner: Seen | null };

export const locksOf = ({ daemon }: Pick<Stage, "daemon">): string =>
  path.join(realpathSync(daemon.stateDir), "locks");

/** FFmpeg and runner of a stream, found from outside. */
export const pairOf = (stage: Stage, { name }: Pick<Target, "name">): Pair => {
  const seen = new ProcessTable().look();
  const locks = locksOf(stage);
  const lock = path.join(locks, name);
  const ffmpeg = pushersOf(seen, locks).find(({ marker }) => marker === lock) ?? null;
  const runner = seen.find(({ pid, argv }) => pid === ffmpeg?.parent && argv.includes(lock));
  return { ffmpeg, runner: runner ?? null };
};

/** Signals a process of a stream, if it still is the one that was seen. */
export const signalOwn = (process_: Seen | null, signal: NodeJS.Signals): boolean => {
  if (process_ === null || !isAlive(process_)) return false;
  try {
    process.kill(process_.pid, signal);
    return true;
  } catch {
    return false;
  }
};

export const isSuspended = ({ pid }: Seen): boolean => processOf(pid)?.state === "T";
