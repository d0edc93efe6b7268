import type { ProgressReport } from "../ffmpeg/progress.ts";
import { type Delivery, isDoubtful, judgeDelivery } from "./delivery.ts";
import {
  type Sample,
  ackedBetween,
  backFrom,
  speedBetween,
  withSample,
  writtenBetween,
} from "./samples.ts";
import type { Connection, Ends } from "./sockets.ts";

/** A handshake and what comes before the first media; more than this acknowledged is media. */
const HANDSHAKE_BYTES = 6_144;
/** The window over which a rate is taken. */
const WINDOW_MS = 6_000;
/** Without a look for this long, nothing is known of the delivery. */
const SILENCE_MS = 10_000;
/** FFmpeg reports twice a second: over less than this a speed would be noise. */
const SPEED_MS = 20_000;

const UNKNOWN: Delivery = { health: "unknown", why: null };

/** What has been seen of one process: its progress, and what the kernel tells of its connection. */
export class Evidence {
  report: ProgressReport | null = null;
  /** The kernel's last word; null where it cannot be asked, or was not yet. */
  connection: Connection | null = null;
  /** Whether the kernel tells, or only FFmpeg's own progress; null before the first look. */
  kernelTells: boolean | null = null;
  /** Bytes acknowledged since the process started; null as above. */
  acked: number | null = null;
  /** Of its last connection. */
  ends: readonly Ends[] = [];
  #advanced = false;
  #arrived = false;
  #firstAcked: number | null = null;
  readonly #adopted: boolean;
  readonly #host: string;
  #samples: readonly Sample[] = [];
  #delivery: Delivery = UNKNOWN;
  /** For how long next to nothing must arrive to be a stall: so far back looks are kept. */
  #stallMs = 0;

  /**
   * `adopted`: FFmpeg may have fallen silent, and for ever, when its progress file had no room once;
   * then bytes that arrive are evidence enough. `host` is the receiver's name for people.
   */
  constructor(adopted: boolean, host = "the receiver") {
    this.#adopted = adopted;
    this.#host = host;
  }

  /**
   * Takes what one look has found. `at` is on a clock that never jumps; `connection` is undefined where
   * the kernel was not asked this time, null where it cannot be; `read` gives the bytes that FFmpeg has
   * read, and is asked where the kernel cannot tell.
   */
  see(
    at: number,
    report: ProgressReport | null,
    connection: Connection | null | undefined,
    read: () => number | null = () => null,
  ): void {
    if (report !== null) {
      if ((report.outTimeMs ?? 0) > (this.report?.outTimeMs ?? 0)) this.#advanced = true;
      this.report = report;
    }
    if (connection !== undefined) this.#hear(connection);
    // The first media counts at once, though the kernel was asked a moment before.
    else if (this.#samples.length > 0 || this.kernelTells === null) return;
    // What comes before the first media, and the burst that media begins with, are no measure.
    if (!this.flowing && !this.#adopted) return;
    const { outTimeMs: mediaMs = null, totalBytes: written = null } = this.report ?? {};
    const now = { at, mediaMs, written, connection: this.connection };
    const before = this.#samples.at(-1);
    const isOther =
      before !== undefined && (before.connection === null) !== (now.connection === null);
    const sample = { ...now, read: now.connection === null ? read() : null };
    // A look that could see nothing at all, for want of descriptors say, says nothing of the stream.
    if (now.connection === null && report === null && sample.read === null) return;
    this.#samples = withSample(isOther ? [] : this.#samples, sample, this.#stallMs);
  }

  #hear(connection: Connection | null): void {
    this.kernelTells = connection !== null;
    this.connection = connection;
    if (connection === null) return;
    this.#firstAcked ??= connection.acked;
    if (connection.acked > this.#firstAcked + HANDSHAKE_BYTES) this.#arrived = true;
    this.acked = Math.max(connection.acked, this.acked ?? 0);
    if (connection.ends.length > 0) this.ends = connection.ends;
  }

  /** Judges what has been seen; `stallMs`: for how long next to nothing must arrive to be a stall. */
  judge(stallMs: number): void {
    this.#stallMs = stallMs;
    this.#delivery = this.flowing ? judgeDelivery(this.#samples, stallMs, this.#host) : UNKNOWN;
  }

  /** Media time has advanced, and the receiver has acknowledged more than a handshake. */
  get flowing(): boolean {
    if (this.#adopted && this.#arrived) return true;
    if (!this.#advanced || this.kernelTells === null) return false;
    return !this.kernelTells || (this.acked ?? 0) > HANDSHAKE_BYTES;
  }

  /** The verdict on the delivery, as of a time at which somebody asks. */
  deliveryAt(at: number): Delivery {
    const last = this.#samples.at(-1);
    return last === undefined || at - last.at >= SILENCE_MS ? UNKNOWN : this.#delivery;
  }

  /** It may be the beginning of a stall: worth looking more often. */
  get isDoubtful(): boolean {
    return this.#delivery.health === "delivering" && isDoubtful(this.#samples);
  }

  /** Media seconds per second of late; null where not known yet. */
  get speed(): number | null {
    const [from, to] = [backFrom(this.#samples, SPEED_MS), this.#samples.at(-1)];
    return from === null || to === undefined ? null : speedBetween(from, to);
  }

  get bitrateKbps(): number | null {
    const to = this.#samples.at(-1);
    const from = this.#samples.find(({ at }) => (to?.at ?? 0) - at <= WINDOW_MS);
    if (from === undefined || to === undefined || to.at - from.at < 500) return null;
    const bytes = ackedBetween(from, to) ?? writtenBetween(from, to);
    return bytes === null ? null : Math.max(0, Math.round((bytes * 8) / (to.at - from.at)));
  }
}
