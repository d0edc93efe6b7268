import { execa } from "execa";
import { ffmpegEnvironment } from "../ffmpeg/environment.ts";
import { type Command, type Input, playing, walking } from "../reach/input.ts";
import { type Refusal, refusalOf } from "../reach/refusal.ts";
import { type Pids, readPids } from "./run-record.ts";

export type Launch = {
  readonly runDirectory: string;
  readonly lock: string;
  readonly log: string;
  /** At which length the log is emptied, while a daemon is there to do it. */
  readonly logMaxBytes?: number;
  readonly marker: string;
  readonly input: Input;
  readonly argv: Command;
};

export type Launched =
  | { readonly ok: true; readonly pids: Pids }
  /** The input is not its owner's to read any more; nothing was started. */
  | {
      readonly ok: false;
      readonly why: "refused";
      readonly refusal: Refusal;
      readonly message: string;
    }
  /** `locked`: another process holds the stream's lock; nothing was started. */
  | { readonly ok: false; readonly why: "locked" | "failed"; readonly message: string };

/** Starts a run: resolves as soon as FFmpeg's pid is on record; keeps no child, no pipe, no handle. */
export type Launcher = (launch: Launch) => Promise<Launched>;

/** The only place that starts FFmpeg for a stream. `script` is the path of runner.sh. */
export const launcher =
  (script: string): Launcher =>
  async ({ runDirectory, lock, log, logMaxBytes = 0, marker, input, argv }) => {
    const ffmpeg = playing(input, runDirectory, argv);
    const runner = ["/bin/sh", script, runDirectory, lock, log, marker, ...ffmpeg] as const;
    const [program, ...words] = walking(input, runner);
    const ending = execa(program, words, {
      reject: false,
      detached: true,
      cleanup: false,
      stdio: "ignore",
      extendEnv: false,
      env: { ...ffmpegEnvironment(process.env), STREAMBRO_MOST_BLOCKS: mostBlocks(logMaxBytes) },
      cwd: "/",
      timeout: WITHIN_MS,
    });
    const front = await Promise.race([ending, after(WITHIN_MS + GRACE_MS)]);
    if (front.exitCode === 0) {
      const pids = readPids(runDirectory);
      if (pids !== null) return { ok: true, pids };
    }
    // What the walk says on standard error nobody reads here: a look a moment ago has said it.
    const refusal = refusalOf(front.exitCode ?? null, "");
    if (refusal !== null) {
      const message = "the input may not be opened for its owner";
      return { ok: false, why: "refused", refusal, message };
    }
    if (front.exitCode === 75) {
      return { ok: false, why: "locked", message: "another process holds this stream's lock" };
    }
    return { ok: false, why: "failed", message: `FFmpeg could not be started: ${whyNot(front)}` };
  };

const WITHIN_MS = 20_000;
/** What waits for a disk that does not answer heeds no signal: it is left behind. */
const GRACE_MS = 2_000;

type Late = { readonly exitCode?: number; readonly timedOut: true };

const after = (ms: number): Promise<Late> =>
  new Promise((resolve) => {
    setTimeout(() => resolve({ timedOut: true }), ms).unref();
  });

/** The kernel keeps every file that FFmpeg writes within this, where no daemon is there to do so. */
export const MOST_BYTES = 128 << 20;

/** In blocks of 512 bytes. Twice the log's own bound, where an operator wants a long one. */
const mostBlocks = (logMaxBytes: number): string =>
  String(Math.ceil(Math.max(MOST_BYTES, 2 * logMaxBytes) / 512));

/** 74 is the runner's own word for it, 2 the shell's. */
const whyNot = ({ exitCode, timedOut }: { exitCode?: number; timedOut: boolean }): string => {
  if (exitCode === 74 || exitCode === 2)
    return "its run directory, lock or log cannot be written. Is the disk full?";
  if (timedOut) return "its runner did not come back in time. Does a disk hang?";
  return `its runner ended with ${exitCode ?? "a signal"}`;
};
