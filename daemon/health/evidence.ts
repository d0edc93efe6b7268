import type { ProgressReport } from "../ffmpeg/progress.ts";

/** A handshake and what comes before the first media; more than this acknowledged is media. */
const HANDSHAKE_BYTES = 6_144;
/** The window over which a rate is taken. */
const WINDOW_MS = 6_000;
/** Without progress for this long, nothing is known of the delivery. */
const SILENCE_MS = 10_000;

type Sample = { readonly at: number; readonly bytes: number };

/** What has been seen of one process: its progress, and what the receiver's kernel acknowledged. */
export class Evidence {
  report: ProgressReport | null = null;
  /** Bytes acknowledged since the process started; null where the kernel cannot be asked, or was not yet. */
  acked: number | null = null;
  #kernelTells: boolean | null = null;
  #advancedAt: number | null = null;
  /** When a whole window's worth of bytes had been acknowledged; null where that was never seen. */
  #arrivedAt: number | null = null;
  readonly #adopted: boolean;
  #samples: Sample[] = [];

  /**
   * `adopted`: FFmpeg may have fallen silent, and for ever, when its progress file had no room once;
   * then bytes that arrive are evidence enough.
   */
  constructor(adopted: boolean) {
    this.#adopted = adopted;
  }

  /**
   * Takes what one look has found. `at` is on a clock that never jumps; `acked` is undefined where the
   * kernel was not asked this time, null where it cannot be.
   */
  see(at: number, report: ProgressReport | null, acked: number | null | undefined): void {
    if (report !== null) {
      if ((report.outTimeMs ?? 0) > (this.report?.outTimeMs ?? 0)) this.#advancedAt = at;
      this.report = report;
    }
    if (acked !== undefined) this.#kernelTells = acked !== null;
    if (typeof acked === "number") {
      if (this.acked !== null && acked > this.acked + HANDSHAKE_BYTES) this.#arrivedAt = at;
      this.acked = Math.max(acked, this.acked ?? 0);
    }
    // An old count at a new time would be a rate that never was.
    const bytes = this.#kernelTells === true ? acked : report?.totalBytes;
    if (typeof bytes !== "number") return;
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_MS)
      this.#samples.shift();
  }

  /** Media time has advanced, and the receiver has acknowledged more than a handshake. */
  get flowing(): boolean {
    if (this.#adopted && this.#arrivedAt !== null) return true;
    if (this.#advancedAt === null || this.#kernelTells === null) return false;
    return !this.#kernelTells || (this.acked ?? 0) > HANDSHAKE_BYTES;
  }

  isDelivering(at: number): boolean {
    // FFmpeg's clock goes on while a receiver takes nothing; where the kernel tells, it decides.
    const arrived = this.#kernelTells === true ? this.#arrivedAt : null;
    const last = arrived ?? this.#advancedAt ?? Number.NEGATIVE_INFINITY;
    return this.flowing && at - last < SILENCE_MS;
  }

  get bitrateKbps(): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 500) return null;
    return Math.max(0, Math.round(((last.bytes - first.bytes) * 8) / (last.at - first.at)));
  }
}
