import { type ChildProcess, spawn } from "node:child_process";
import { ffmpegEnvironment } from "../ffmpeg/environment.ts";
import { canStartPrograms } from "../runner/descriptors.ts";

export type Ended = {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Null where there is none: it never ran, was killed, or said too much. */
  readonly exitCode: number | null;
  /** There is no such program. */
  readonly missing: boolean;
  /** What ended it, where that was a signal and not this process's own. */
  readonly signal: string | null;
  /** It was given up: its time was over, or nobody wanted it any longer. */
  readonly timedOut: boolean;
};

export type Bounds = {
  readonly withinMs: number;
  /** Of standard output; more is a failure. */
  readonly mostBytes: number;
  readonly signal?: AbortSignal | undefined;
};

const MOST_STDERR_BYTES = 65_536;
/** For one that was given up and killed to be gone, before the next one of its file. */
const GRACE_MS = 1_000;

/**
 * Given up and not ended, by file: what waits for a disk that does not answer heeds no signal, not even
 * KILL. Such a file gets no further process, or a mount that hangs for days would fill the machine.
 */
const stuck = new Map<string, Promise<unknown>>();

/**
 * Runs a program that looks at `file`, which may lie on a disk that never answers. Settles in time
 * whatever becomes of the program, and never throws: what does not end is killed and left behind.
 */
export const runBounded = async (
  file: string,
  [program, ...argv]: readonly [string, ...string[]],
  bounds: Bounds,
): Promise<Ended> => {
  const until = performance.now() + bounds.withinMs;
  const before = stuck.get(file);
  if (before !== undefined)
    await Promise.race([before, after(Math.min(GRACE_MS, bounds.withinMs))]);
  if (stuck.has(file) || bounds.signal?.aborted === true) return GIVEN_UP;
  if (!canStartPrograms()) return NEVER_RAN;
  let child: ChildProcess;
  try {
    child = spawn(program, argv, {
      stdio: ["ignore", "pipe", "pipe"],
      // In English, for what is read from its complaints.
      env: { ...ffmpegEnvironment(process.env), LC_ALL: "C" },
    });
  } catch {
    return NEVER_RAN;
  }
  return watch(file, child, { ...bounds, withinMs: Math.max(0, until - performance.now()) });
};

const NOTHING = {
  stdout: Buffer.alloc(0),
  stderr: "",
  exitCode: null,
  signal: null,
  missing: false,
};
const NEVER_RAN: Ended = { ...NOTHING, timedOut: false };
const GIVEN_UP: Ended = { ...NOTHING, timedOut: true };
const TOO_LONG: Ended = { ...NOTHING, stderr: "its answer is too long", timedOut: false };

const watch = (file: string, child: ChildProcess, bounds: Bounds): Promise<Ended> =>
  new Promise((resolve) => {
    const said: Buffer[] = [];
    const complained: Buffer[] = [];
    let bytes = 0;
    let complaintBytes = 0;
    const settle = (ended: Ended): void => {
      clearTimeout(timer);
      bounds.signal?.removeEventListener("abort", giveUp);
      resolve(ended);
    };
    const leave = (ended: Ended): void => {
      abandon(file, child);
      settle(ended);
    };
    const giveUp = (): void => leave(GIVEN_UP);
    const timer = setTimeout(giveUp, bounds.withinMs);
    bounds.signal?.addEventListener("abort", giveUp);
    child.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bounds.mostBytes) leave(TOO_LONG);
      else said.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (complaintBytes < MOST_STDERR_BYTES) complained.push(chunk);
      complaintBytes += chunk.length;
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      settle({ ...NEVER_RAN, missing: error.code === "ENOENT" }),
    );
    child.on("close", (exitCode, signal) => {
      const stderr = Buffer.concat(complained).toString("utf8");
      settle({
        stdout: Buffer.concat(said),
        stderr,
        exitCode,
        signal,
        missing: false,
        timedOut: false,
      });
    });
  });

/** Kills it, and does not wait: neither here nor at the daemon's end. */
const abandon = (file: string, child: ChildProcess): void => {
  // It may have ended by itself, and only its output be held open by somebody else: then nothing is
  // still to come, and to wait for it would shut this file out for ever.
  const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const ended = isOver
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const all = Promise.all([stuck.get(file), ended]);
  stuck.set(file, all);
  void all.finally(() => stuck.get(file) === all && stuck.delete(file));
  child.kill("SIGKILL");
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
};

const after = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
