import { rmSync, statSync } from "node:fs";
import { type Freed, NOTHING, sum } from "./remove-tree.ts";

/** Removes a stream's log and what came before it where it was last written to before `before`. */
export const removeOldLogs = (log: string, before: number): Freed =>
  [log, `${log}.1`].reduce((freed, file) => sum(freed, removeIfOld(file, before)), NOTHING);

const removeIfOld = (file: string, before: number): Freed => {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.mtimeMs >= before) return NOTHING;
  rmSync(file, { force: true });
  return { files: 1, bytes: found.size };
};
