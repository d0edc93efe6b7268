import { lstatSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

/** What a removal came to; links count as files, what they lead to does not. */
export type Freed = { readonly files: number; readonly bytes: number };

export const NOTHING: Freed = { files: 0, bytes: 0 };

export const sum = (one: Freed, other: Freed): Freed => ({
  files: one.files + other.files,
  bytes: one.bytes + other.bytes,
});

/** Removes a directory with all that is in it; one that is not there is no error. */
export const removeTree = (directory: string): Freed => {
  const freed = weigh(directory);
  rmSync(directory, { recursive: true, force: true });
  return freed;
};

const weigh = (place: string): Freed => {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return NOTHING;
  if (!found.isDirectory()) return { files: 1, bytes: found.isFile() ? found.size : 0 };
  return readdirSync(place).reduce((all, name) => sum(all, weigh(path.join(place, name))), NOTHING);
};
