import { readFileSync, readdirSync } from "node:fs";
import { uptimeMs } from "../../daemon/clock/wall-clock.ts";
import type { Daemon } from "../helpers/daemon.ts";

/** One FFmpeg of a stream's and when it was started, by the kernel's word. */
type SeenFfmpeg = { readonly stream: string; readonly atMs: number };

export type Starting = {
  /** Each FFmpeg of the daemon's streams, by `performance.now()`. */
  readonly ffmpegs: readonly SeenFfmpeg[];
  /** Most processes at one look that examine an input. */
  readonly mostProbes: number;
  /** Processes that wanted a processor, at each look; this machine's, whoever they belong to. */
  readonly running: readonly number[];
  readonly looks: number;
};

const EVERY_MS = 25;

const read = (file: string): string => {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
};

/** A number of /proc/PID/stat, counted from 1 as its manual does. */
const fieldOf = (pid: string, field: number): number => {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3]);
};

/** When a process was started, by `performance.now()`, as exactly as the kernel counts: in 10 ms. */
const startOf = (pid: string): number => performance.now() - (uptimeMs() - fieldOf(pid, 22) * 10);

/**
 * Watches from the outside, by /proc, which processes a daemon starts. A process
 * is read once, when it is new, so that the watch costs little beside what it watches.
 */
export const watchStarting = ({
  stateDir,
  pid: daemonPid,
}: Pick<Daemon, "stateDir" | "pid">): { stop(): Starting } => {
  const known = new Set<string>();
  const probes = new Set<string>();
  const ffmpegs: SeenFfmpeg[] = [];
  const running: number[] = [];
  let mostProbes = 0;
  let looks = 0;
  const marker = `STREAMBRO_RUN=${stateDir}/locks/`;
  const own = process.pid;

  const meet = (pid: string): void => {
    const line = read(`/proc/${pid}/cmdline`);
    // Between fork and exec it is still its parent's copy: looked at again.
    if (line === "" || line.startsWith("/bin/sh") || line.startsWith("setsid")) return;
    known.add(pid);
    const program = line.slice(0, line.indexOf("\0"));
    // Others on this machine look at films too.
    if (program.endsWith("ffprobe") && fieldOf(pid, 4) === daemonPid()) probes.add(pid);
    if (!program.endsWith("ffmpeg")) return;
    const entry = read(`/proc/${pid}/environ`)
      .split("\0")
      .find((one) => one.startsWith(marker));
    if (entry === undefined) return;
    ffmpegs.push({ stream: entry.slice(marker.length), atMs: startOf(pid) });
  };

  const look = (): void => {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const here = new Set(pids);
    for (const pid of probes) if (!here.has(pid)) probes.delete(pid);
    for (const pid of pids) if (!known.has(pid) && Number(pid) !== own) meet(pid);
    mostProbes = Math.max(mostProbes, probes.size);
    running.push(Number(/^procs_running (\d+)$/m.exec(read("/proc/stat"))?.[1] ?? 0));
    looks += 1;
  };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) known.add(pid);
  const timer = setInterval(look, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return { ffmpegs, mostProbes, running, looks };
    },
  };
};

/** Most of some moments that lie within one window. */
export const mostWithin = (moments: readonly number[], windowMs: number): number => {
  const sorted = moments.toSorted((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [at, moment] of sorted.entries()) {
    while (moment - (sorted[from] ?? moment) >= windowMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
};

/** Most of some spans that overlap at one moment. */
export const mostOverlapping = (
  spans: readonly { readonly fromMs: number; readonly toMs: number }[],
): number =>
  Math.max(
    0,
    ...spans.map(
      ({ fromMs }) => spans.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs).length,
    ),
  );
