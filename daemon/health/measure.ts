import { closeSync, readdirSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as after } from "node:timers/promises";
import pidusage from "pidusage";
import { get as historyOf } from "pidusage/lib/history.js";

/**
 * CPU in percent of one core since the look before, or over its whole life at the first; resident memory
 * in bytes, shared libraries included; `pss` the same with these counted in parts, or null.
 */
export type Measured = {
  readonly cpu: number;
  readonly memory: number;
  readonly pss: number | null;
};

/** Those that live; `keepMs` is how long a process is remembered for the next look. */
export type Measure = (
  pids: readonly number[],
  keepMs: number,
) => Promise<ReadonlyMap<number, Measured>>;

/** How long the kernel may take to add up a process's memory; it waits where the process hangs in it. */
const PSS_MS = 2_000;

/** Measures with one call for all. A dead process has no answer and spoils nobody else's. */
export const measurer = (proc = "/proc", pssMs = PSS_MS): Measure => {
  // Each that hangs keeps a thread: it is not asked again before it has answered.
  const asked = new Set<number>();
  const pssOf = async (pid: number): Promise<number | null> => {
    if (asked.has(pid)) return null;
    asked.add(pid);
    const answer = readPss(`${proc}/${pid}/smaps_rollup`).finally(() => asked.delete(pid));
    return Promise.race([answer, after(pssMs, null, { ref: false })]);
  };
  const lost = new Set<number>();
  return async (pids, keepMs) => {
    const known = new Set(pids.filter((pid) => historyOf(pid, keepMs) !== undefined));
    const found = await statistics(pids, keepMs);
    // Only of one that it had not seen before does it open a descriptor, and lose it.
    for (const pid of pids) if (!known.has(pid) && (found[pid] ?? null) === null) lost.add(pid);
    closeStrays(lost, keepMs);
    const entries = pids.map(async (pid): Promise<[number, Measured] | null> => {
      const one = found[pid];
      if (one === undefined || one === null) return null;
      const { memory, ctime, elapsed } = one;
      // Of a process that it sees for the first time pidusage says 0.
      const cpu = known.has(pid) ? one.cpu : elapsed > 0 ? (ctime / elapsed) * 100 : 0;
      return [pid, { cpu, memory, pss: await pssOf(pid) }];
    });
    return new Map((await Promise.all(entries)).filter((entry) => entry !== null));
  };
};

type Statistics = Readonly<Record<number, pidusage.Status | null>>;

const statistics = async (pids: readonly number[], maxage: number): Promise<Statistics> => {
  try {
    // The library changes the array that it is given.
    return await pidusage([...pids], { maxage });
  } catch {
    // The only process there was has just ended.
    return {};
  }
};

/** Null where the kernel has no such file, or does not let this user read it. */
const readPss = async (file: string): Promise<number | null> => {
  try {
    const kib = /^Pss:\s+(\d{1,15}) kB$/m.exec(await readFile(file, "latin1"));
    return kib === null ? null : Number(kib[1]) * 1024;
  } catch {
    return null;
  }
};

/**
 * Closes what pidusage has opened of processes that died before they were read, and has then lost:
 * descriptors of their stat files that its history does not know. Looking takes a descriptor: where there
 * is none left, the next look sees to them.
 */
const closeStrays = (lost: Set<number>, keepMs: number): void => {
  if (lost.size === 0) return;
  let entries: string[];
  try {
    entries = readdirSync("/proc/self/fd");
  } catch {
    return;
  }
  for (const entry of entries) {
    const pid = Number(/^\/proc\/(\d+)\/stat$/.exec(linkOf(entry))?.[1]);
    const fd = Number(entry);
    if (lost.has(pid) && historyOf(pid, keepMs)?.fd !== fd) closeSync(fd);
  }
  lost.clear();
};

/** Empty for one that is closed by now, such as that of the directory itself. */
const linkOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
};

/**
 * Closes and empties what pidusage keeps of a process. Left alone, it would hold the descriptor for a
 * while, and a later process with the same pid could not be measured as long as it is asked for.
 */
export const forget = (pid: number): void => {
  const entry = historyOf(pid, 1);
  if (entry === undefined) return;
  if (entry.fd !== undefined) closeSync(entry.fd);
  for (const key of Object.keys(entry)) Reflect.deleteProperty(entry, key);
};
