import { readFileSync, readdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import { until } from "./until.ts";

/** Where groups of systemd's hierarchy, of both kinds, may be mounted. */
const HIERARCHIES: Readonly<Record<string, readonly string[]>> = {
  "": ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"],
  "name=systemd": ["/sys/fs/cgroup/systemd"],
};

/** A control group below this process's own, in which a program is to run. */
export type Cgroup = {
  /** What `sh` is to be given before a program and its words. */
  readonly front: readonly string[];
  /** When all in it have ended. */
  readonly remove: () => Promise<void>;
};

/**
 * Two containers in one group would take each other's processes for their own. Where no group can be
 * made the program runs in this one.
 */
export const cgroup = (name: string): Cgroup => {
  const places = readFileSync("/proc/self/cgroup", "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [, hierarchy = "", own = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      return (HIERARCHIES[hierarchy] ?? []).map((mount) => path.join(mount, own, name));
    });
  const script =
    'for place in $0; do if [ -e "${place%/*}/cgroup.procs" ] && mkdir "$place"; then echo $$ >"$place/cgroup.procs"; fi; done 2>/dev/null; exec "$@"';
  return {
    front: ["-c", script, places.join(" ")],
    remove: async () => {
      for (const place of places)
        await until(`${place} is empty`, () => removed(place), 10_000).catch(() => {});
    },
  };
};

const removed = (place: string): boolean => {
  try {
    for (const one of readdirSync(place, { withFileTypes: true }))
      if (one.isDirectory()) removed(path.join(place, one.name));
    rmdirSync(place);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
};
