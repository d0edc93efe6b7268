import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { withVariable } from "../helpers/processes.ts";

/** What one process takes of the machine. Memory in bytes. */
export type Census = {
  readonly rss: number;
  readonly pss: number;
  /** Of its own: neither shared nor a file. */
  readonly anonymous: number;
  readonly descriptors: number;
  readonly cpuMs: number;
};

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;

/** The kernel counts in hundredths of a second for every program (USER_HZ). */
const TICK_MS = 10;

/** CPU time that a process has used, its ended children's left out; null where there is none. */
export const cpuMsOf = (pid: number): number | null => {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

/** Null where there is no such process. */
export const censusOf = (pid: number): Census | null => {
  const cpuMs = cpuMsOf(pid);
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  if (cpuMs === null || rollup === "") return null;
  return {
    rss: kilobytes(rollup, "Rss"),
    pss: kilobytes(rollup, "Pss"),
    anonymous: kilobytes(rollup, "Anonymous"),
    descriptors: entries(`/proc/${pid}/fd`).length,
    cpuMs,
  };
};

const entries = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** What a process's descriptors lead to, numbers and this run's names left out, and how many each. */
export const descriptorKinds = (pid: number): Readonly<Record<string, number>> => {
  const kinds: Record<string, number> = {};
  for (const entry of entries(`/proc/${pid}/fd`)) {
    try {
      const kind = readlinkSync(`/proc/${pid}/fd/${entry}`)
        .replace(/^.*\/runs\/[^/]+\//, "runs/NAME/")
        .replaceAll(/\d+/g, "N");
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch {
      // Closed meanwhile.
    }
  }
  return kinds;
};

export type Children = { readonly living: number; readonly zombies: number };

/** Processes that a process has started and not waited for. */
export const childrenOf = (pid: number): Children => {
  const states = entries("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const stat = read(`/proc/${entry}/stat`);
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(parent) === pid ? [state] : [];
  });
  const zombies = states.filter((state) => state === "Z").length;
  return { living: states.length - zombies, zombies };
};

/** FFmpegs of the daemon that keeps its things below this directory. */
export const ffmpegsOf = (directory: string): number =>
  withVariable("STREAMBRO_RUN", directory).length;

/** Files and directories below these, however deep. */
export const filesBelow = (...directories: readonly string[]): string[] =>
  directories.flatMap((directory) => {
    try {
      return readdirSync(directory, { recursive: true, encoding: "utf8" }).map(
        (name) => `${directory}/${name}`,
      );
    } catch {
      return [];
    }
  });
