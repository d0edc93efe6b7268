import path from "node:path";
import { removeRunDirectory } from "../runner/run-directory.ts";
import { existence } from "../runner/identity.ts";
import { readPids } from "../runner/run-record.ts";
import { clearRemains, isFree } from "../store/remains.ts";
import type { Store } from "../store/store.ts";

/** Removes what belongs to none of these streams; a run under a living process is never touched. */
export const removeOrphans = (store: Store, active: ReadonlySet<string>): number => {
  let removed = 0;
  for (const directory of store.strayRuns(active)) {
    if (isAlive(directory) || !isFree(path.join(store.layout.locks, path.basename(directory))))
      continue;
    removeRunDirectory(directory);
    removed += 1;
  }
  return removed + clearRemains(store.layout, active);
};

/** Whoever it is. */
const isAlive = (directory: string): boolean => {
  const pids = readPids(directory);
  return pids !== null && existence(pids.ffmpeg) !== "dead";
};
