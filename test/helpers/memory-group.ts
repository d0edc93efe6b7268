import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { until } from "./until.ts";

/** A control group of one's own whose processes share so much memory and no more. */
export type MemoryGroup = {
  /** Takes in a process; what it starts from then on is in there too. */
  readonly take: (pid: number) => void;
  /** How many processes the kernel has ended for want of memory. */
  readonly killed: () => number;
  /** When no process is left in it. */
  readonly remove: () => Promise<void>;
};

/** Null where none can be made: not root, or the controller belongs to somebody else. */
export const memoryGroup = (bytes: number): MemoryGroup | null => {
  // The first and the second version of control groups.
  const first = /^\d+:memory:(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
  const name = `streambro-test-${process.pid}`;
  const [directory, limit, events] =
    first === undefined
      ? [path.join("/sys/fs/cgroup", name), "memory.max", "memory.events"]
      : [
          path.join("/sys/fs/cgroup/memory", first, name),
          "memory.limit_in_bytes",
          "memory.oom_control",
        ];
  const file = (one: string): string => path.join(directory, one);
  try {
    mkdirSync(directory);
  } catch {
    return null;
  }
  try {
    writeFileSync(file(limit), String(bytes));
  } catch {
    rmdirSync(directory);
    return null;
  }
  return {
    take: (pid) => writeFileSync(file("cgroup.procs"), String(pid)),
    killed: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(file(events), "utf8"))?.[1]),
    remove: async () => {
      await until(
        "the control group is empty",
        () => {
          rmdirSync(directory);
          return true;
        },
        10_000,
      );
    },
  };
};
