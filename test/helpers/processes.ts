import { readFileSync, readdirSync, statSync } from "node:fs";
import { until } from "./until.ts";

/** A process, told apart from a later one with the same pid by its start time. */
export type Process = {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTime: string;
  /** R, S, D, T, Z and so on. */
  readonly state: string;
  readonly parent: number;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
};

const read = (pid: number, name: string): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return null;
  }
};

const words = (text: string | null): string[] =>
  text === null ? [] : Buffer.from(text, "latin1").toString("utf8").split("\0").slice(0, -1);

/** The process with this pid; null where there is none, or only a zombie. */
export const processOf = (pid: number): Process | null => {
  const stat = read(pid, "stat");
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = ""] = fields;
  if (state === "Z" || state === "X") return null;
  return {
    pid,
    startTime: fields[19] ?? "",
    state,
    parent: Number(parent),
    argv: words(read(pid, "cmdline")),
    environment: words(read(pid, "environ")),
  };
};

/** Every process of this user. */
export const processes = (): Process[] => {
  const own = process.getuid?.();
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      if (statSync(`/proc/${entry}`).uid !== own) return [];
    } catch {
      return [];
    }
    return processOf(Number(entry)) ?? [];
  });
};

/** Processes with a variable whose value begins with `prefix`. */
export const withVariable = (name: string, prefix: string): Process[] =>
  processes().filter(({ environment }) =>
    environment.some((entry) => entry.startsWith(`${name}=${prefix}`)),
  );

/** Processes with an argument that contains `text`. */
export const withArgument = (text: string): Process[] =>
  processes().filter(({ argv }) => argv.some((argument) => argument.includes(text)));

export const isAlive = ({ pid, startTime }: Pick<Process, "pid" | "startTime">): boolean =>
  processOf(pid)?.startTime === startTime;

export const waitForEnd = async (
  one: Pick<Process, "pid" | "startTime">,
  deadlineMs: number,
): Promise<void> => {
  await until(`process ${one.pid} ends`, () => !isAlive(one), deadlineMs);
};

/** Variables by which a process can be traced to one daemon's directory. */
const TRACES = ["STREAMBRO_RUN", "STREAMBRO_STATE_DIR", "STREAMBRO_TEST_HOME"] as const;

/** What still runs of the daemon that kept its things below `marker`, this process left out. */
export const leftovers = (marker: string): Process[] =>
  processes().filter(
    ({ pid, environment }) =>
      pid !== process.pid &&
      environment.some((entry) => TRACES.some((name) => entry.startsWith(`${name}=${marker}`))),
  );

/** Kills them one by one, each only while it still is the process that was seen. */
export const killAll = (some: readonly Process[]): void => {
  for (const one of some) {
    try {
      if (isAlive(one)) process.kill(one.pid, "SIGKILL");
    } catch {
      // It ended by itself in between.
    }
  }
};
