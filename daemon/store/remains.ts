import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { isStreamName } from "../../shared/stream-name.ts";
import type { Layout } from "./layout.ts";

/** Which stream a file of one of these directories belongs to; null where it belongs to none. */
const OWNERS = {
  keys: /^(.+)@\d+\.json(?:\.[^/]+\.tmp)?$/,
  memory: /^(.+)\.json$/,
  logs: /^(.+)\.log(?:\.1)?$/,
  locks: /^(.+)$/,
} as const satisfies Partial<Record<keyof Layout, RegExp>>;

/**
 * Removes what a crash in the middle of a removal, or of an `add`, left of streams that are no more: the
 * next one of that name would go on from another's memory. Answers how many files. `alive` are names
 * to leave alone; so is one whose lock somebody holds, and everything that is not a plain file.
 */
export const clearRemains = (layout: Layout, alive: ReadonlySet<string>): number => {
  const kept = new Set([...alive, ...setAside(layout.streams)]);
  const gone = (name: string): boolean => isStreamName(name) && !kept.has(name);
  // Before any other file of a name: a process that nobody sees may still write to its log.
  for (const name of plainFiles(layout.locks))
    if (gone(name) && !isFree(path.join(layout.locks, name))) kept.add(name);
  let removed = 0;
  for (const folder of ["keys", "memory", "logs", "locks"] as const) {
    for (const entry of plainFiles(layout[folder])) {
      const name = OWNERS[folder].exec(entry)?.[1];
      const halfWritten = folder === "keys" && entry.endsWith(".tmp");
      if (!halfWritten && (name === undefined || !gone(name))) continue;
      try {
        rmSync(path.join(layout[folder], entry));
        removed += 1;
      } catch {
        // It is in nobody's way, and its turn comes again at the next start.
      }
    }
  }
  return removed;
};

/** A link is not one, wherever it leads. */
const plainFiles = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

/** Names whose specification an operator may still mend and put back. */
const setAside = (streams: string): string[] =>
  readdirSync(streams).flatMap((entry) => /^(.+)\.json\.unreadable-/.exec(entry)?.[1] ?? []);

/** Nothing that was started for the stream lives, whatever its run directory says. */
export const isFree = (lock: string): boolean =>
  !existsSync(lock) ||
  spawnSync("flock", ["-n", lock, "true"], { stdio: "ignore", timeout: 10_000 }).status === 0;
