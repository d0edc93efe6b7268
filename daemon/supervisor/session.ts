import path from "node:path";
import type { Exit } from "../ffmpeg/failure.ts";
import { Evidence } from "../health/evidence.ts";
import { bytesRead } from "../health/reads.ts";
import type { Connection } from "../health/sockets.ts";
import { type DeathWatch, watchDeath } from "../runner/death-watch.ts";
import { existence, signal } from "../runner/identity.ts";
import { type ReadProgress, readProgress } from "../runner/progress-file.ts";
import { type Contents, isWhole, layOut } from "../runner/run-directory.ts";
import { readExit, readRunRecord } from "../runner/run-record.ts";
import { hostOf } from "./exit-account.ts";
import { isFlowing } from "./progress-made.ts";
import type { Run } from "./state.ts";

/** How long a runner is given to record the death of its FFmpeg before it is ended. */
const RUNNER_GRACE_MS = 1_500;
const RUNNER_GONE_MS = 3_000;

/**
 * One run as it is watched, whether this daemon started it or an earlier one did: its end by the FIFO,
 * and by looks at its pids where the FIFO cannot tell.
 */
export class Session {
  readonly run: Run;
  readonly contents: Contents;
  readonly evidence: Evidence;
  readonly #directory: string;
  readonly #onExit: (exit: Exit) => void;
  readonly #watch: DeathWatch | null;
  #attended: boolean;
  #deadSince: number | null = null;
  #over = false;
  #isRead = false;

  /** `adopted`: it was started by an earlier daemon. */
  constructor(
    run: Run,
    contents: Contents,
    directory: string,
    adopted: boolean,
    onExit: (exit: Exit) => void,
  ) {
    this.evidence = new Evidence(adopted, hostOf(contents.record.url));
    this.run = run;
    this.contents = contents;
    this.#directory = directory;
    this.#onExit = onExit;
    this.#watch = this.#openFifo(() => this.#fifoEnded());
    this.#attended = this.#watch !== null;
    if (!adopted) return;
    try {
      // At once: of the two records of a run the other one may be lost by the next start.
      this.mend();
    } catch {
      // The next look tries again, and says why it cannot.
    }
  }

  /** Reads what FFmpeg last reported; kept in the evidence too. */
  look(at: number, connection: Connection | null | undefined): ReadProgress | null {
    const { pid } = this.run.pids.ffmpeg;
    const progress = readProgress(this.#directory, pid);
    this.evidence.see(at, progress?.report ?? null, connection, () => bytesRead(pid));
    return progress;
  }

  /** FFmpeg said a moment ago that media goes out; `now` is on the clock of the file system. */
  isReporting(at: number, now: number): boolean {
    const progress = this.look(at, undefined);
    return isFlowing(progress, now);
  }

  /** Looks whether the processes live; `at` is on a clock that never jumps. */
  checkPulse(at: number): void {
    if (this.#over || existence(this.run.pids.ffmpeg) !== "dead") return;
    const exit = readExit(this.#directory);
    if (exit !== null || !this.#attended) return this.#end(exit ?? { code: null, signal: null });
    // FFmpeg is dead and its runner has not said so: it is suspended, or about to.
    this.#deadSince ??= at;
    const { runner } = this.run.pids;
    const waited = at - this.#deadSince;
    if (runner !== null) signal(runner, waited < RUNNER_GRACE_MS ? "SIGCONT" : "SIGKILL", false);
    if (waited > RUNNER_GONE_MS) this.#end({ code: null, signal: null });
  }

  /** Mends a run directory that was removed under the live stream. True where it had to. */
  mend(): boolean {
    if (this.#over) return false;
    // Once it is read: a record that is there and damaged helps the next daemon as little as none.
    const isGood = this.#isRead
      ? isWhole(this.#directory)
      : readRunRecord(this.#directory) !== null;
    this.#isRead = true;
    if (isGood) return false;
    layOut(this.#directory, this.contents);
    return true;
  }

  signal(name: "SIGTERM" | "SIGKILL"): void {
    const { ffmpeg } = this.run.pids;
    signal(ffmpeg, name, true);
    // A suspended process would act on TERM only when somebody woke it.
    if (name === "SIGTERM") signal(ffmpeg, "SIGCONT", true);
  }

  /** What an operator should know about the processes; null where all is as it should be. */
  get note(): string | null {
    const { runner } = this.run.pids;
    const { suspended } = this;
    if (suspended !== null) return suspended;
    if (!this.#attended)
      return "unattended: its runner is gone, so how FFmpeg ends will not be known";
    if (runner !== null && existence(runner) === "stopped")
      return `its runner (${runner.pid}) is suspended by SIGSTOP`;
    return null;
  }

  /** That somebody has suspended FFmpeg; null where nobody has. */
  get suspended(): string | null {
    const { ffmpeg } = this.run.pids;
    if (existence(ffmpeg) !== "stopped") return null;
    return `FFmpeg (${ffmpeg.pid}) is suspended by SIGSTOP and sends nothing`;
  }

  close(): void {
    this.#over = true;
    this.#watch?.close();
  }

  #openFifo(onEnd: () => void): DeathWatch | null {
    const { runner } = this.run.pids;
    // The runner's own descriptor leads to a FIFO whose name is gone.
    const places = [path.join(this.#directory, "alive")];
    if (runner !== null && existence(runner) !== "dead") places.push(`/proc/${runner.pid}/fd/9`);
    for (const place of places) {
      const watch = watchDeath(place, onEnd);
      if (watch !== null) return watch;
    }
    return null;
  }

  #fifoEnded(): void {
    if (this.#over) return;
    const exit = readExit(this.#directory);
    if (exit !== null) return this.#end(exit);
    if (existence(this.run.pids.ffmpeg) === "dead") return this.#end({ code: null, signal: null });
    this.#attended = false;
  }

  #end(exit: Exit): void {
    if (this.#over) return;
    this.close();
    this.#onExit(exit);
  }
}
