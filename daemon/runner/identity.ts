import { readFileSync } from "node:fs";
import { uptimeMs } from "../clock/wall-clock.ts";

/** A process that cannot be mistaken for another with its pid: when it started, in which boot. */
export type Identity = { readonly pid: number; readonly startTime: number };

/**
 * `dead` covers a zombie, which still has its pid and start time but runs nothing; `unknown` is what could
 * not be looked at, without descriptors say, and must not be taken for dead.
 */
export type Existence = "alive" | "stopped" | "dead" | "unknown";

/** This boot's id; start times of another boot mean nothing. */
export const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** State letter and start time from the text of /proc/PID/stat; the name in it may hold anything. */
export const parseStat = (
  text: string,
): { state: string; parent: number; group: number; startTime: number } | null => {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = Number(fields[19]);
  const parent = Number(fields[1]);
  const group = Number(fields[2]);
  const state = fields[0];
  if (state === undefined || state === "") return null;
  if (![startTime, parent, group].every(Number.isSafeInteger)) return null;
  return { state, parent, group, startTime };
};

/** Null where there is no such process. */
const stat = (pid: number): ReturnType<typeof parseStat> | "unknown" => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ESRCH" ? null : "unknown";
  }
};

export const identify = (pid: number): Identity | null => {
  const found = stat(pid);
  return found === null || found === "unknown" ? null : { pid, startTime: found.startTime };
};

export const existence = ({ pid, startTime }: Identity): Existence => {
  const found = stat(pid);
  if (found === "unknown") return "unknown";
  if (found === null || found.startTime !== startTime) return "dead";
  if (found.state === "Z" || found.state === "X") return "dead";
  return found.state === "T" || found.state === "t" ? "stopped" : "alive";
};

/** The kernel counts start times in hundredths of a second, on every platform. */
const TICK_MS = 10;

/** How long ago a process was started, sleep included, in milliseconds; null where it is gone. */
export const ageOf = (target: Identity): number | null =>
  existence(target) === "dead" ? null : Math.max(0, uptimeMs() - target.startTime * TICK_MS);

/** The words that a process was started with; null where it is gone. */
export const commandLineOf = (target: Identity): readonly string[] | null => {
  if (existence(target) === "dead") return null;
  try {
    const words = readFileSync(`/proc/${target.pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return words.length === 0 ? null : words;
  } catch {
    return null;
  }
};

/**
 * Sends a signal to a process, or to its group where it leads one, after making sure that it is still
 * that process. False where it is gone or not ours to signal; never pid 0, 1 or a negative one.
 */
export const signal = (target: Identity, name: NodeJS.Signals, group: boolean): boolean => {
  const { pid } = target;
  if (!Number.isInteger(pid) || pid <= 1) return false;
  const found = stat(pid);
  if (found === null || found === "unknown" || found.startTime !== target.startTime) return false;
  try {
    process.kill(group && found.group === pid ? -pid : pid, name);
    return true;
  } catch {
    return false;
  }
};
