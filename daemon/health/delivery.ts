import type { Health } from "../../shared/states.ts";
import { isAnsweredAtOnce } from "./answered.ts";
import { type Sample, ackedBetween, backFrom, speedBetween, writtenBetween } from "./samples.ts";
import { takenBetween } from "./taken.ts";

/** What the looks at one stream say of its delivery, and, where it is poor, why. */
export type Delivery = {
  readonly health: Health;
  readonly why: string | null;
  /** What a stall was told by, for the log: a line of figures a look. */
  readonly looks?: readonly string[];
};

const FINE: Delivery = { health: "delivering", why: null };

/** Less than this part of what is due is nothing: a stopped receiver's kernel trickles on. */
const TRICKLE = 0.1;
/** What is due in the time must be worth judging by. */
const LEAST_DUE_BYTES = 4_096;
/** So early a part of the time must be as poor: what came due only a moment ago is not missing for long. */
const EARLY = 0.1;
/** In so late a part something must have been sent: without that, nothing is known of the receiver. */
const LATE = 0.25;
/** One look may find a window that is smaller for another reason: so many must agree. */
const LEAST_LOOKS = 4;
/** Media that goes on at less than this part of real time: FFmpeg is held up. */
const HELD_UP = 0.5;

/** Of the looks before a stall so much is logged with it. */
const SHOWN_BEFORE_MS = 15_000;

const CONGESTED_MS = 60_000;
/** Over the whole minute, and over each quarter of it; looks and reports are up to a second apart. */
const CONGESTED_BELOW = 0.97;
const QUARTER_BELOW = 0.98;

/**
 * The verdict on a stream whose media flowed before. Pure: the same looks give the same verdict.
 * `stallMs`: for how long the receiver must have taken next to nothing. `host` is the receiver's name.
 */
export const judgeDelivery = (
  samples: readonly Sample[],
  stallMs: number,
  host: string,
): Delivery => stalled(samples, stallMs, host) ?? congested(samples, host) ?? FINE;

/** Whether the last looks may be the beginning of a stall, so that it is worth looking more often. */
export const isDoubtful = (samples: readonly Sample[]): boolean => {
  const last = samples.at(-1);
  const from = backFrom(samples, 1_500);
  return last !== undefined && from !== null && isNothing(samples, from, last);
};

const stalled = (samples: readonly Sample[], stallMs: number, host: string): Delivery | null => {
  const last = samples.at(-1);
  const from = backFrom(samples, stallMs);
  if (last === undefined || from === null || !isNothing(samples, from, last)) return null;
  if (samples.filter(({ at }) => at >= from.at).length < LEAST_LOOKS) return null;
  const early = samples.find(({ at }) => at - from.at >= stallMs * EARLY) ?? last;
  const part = (early.at - from.at) / (last.at - from.at);
  if (!isNothing(samples, from, early, LEAST_DUE_BYTES * part)) return null;
  if (isWithoutNews(backFrom(samples, stallMs * LATE) ?? from, last)) return null;
  if (isAnsweredAtOnce(samples, from)) return null;
  const seconds = Math.round((last.at - from.at) / 1000);
  const looks = looksSince(samples, from.at - SHOWN_BEFORE_MS);
  const backlog = last.connection?.backlog ?? 0;
  // A window that closes holds what arrives and is not read.
  const unread = ackedBetween(from, last) ?? 0;
  if (backlog === 0 && unread <= 0) {
    const why = `FFmpeg has sent nothing for ${seconds} s: its input or ${host} does not answer`;
    return { health: "stalled", why, looks };
  }
  const waits =
    backlog === 0
      ? `${megabytes(unread)} have arrived there and are not read`
      : `${megabytes(backlog)} wait to be sent`;
  return { health: "stalled", why: `${host} has taken nothing for ${seconds} s; ${waits}`, looks };
};

const looksSince = (samples: readonly Sample[], since: number): readonly string[] =>
  samples.flatMap(({ at, mediaMs, written, connection }) => {
    if (at < since) return [];
    const { acked = null, window = null, backlog = null, rttMs = null } = connection ?? {};
    const { segments = null } = connection ?? {};
    const figures = { mediaMs, written, acked, window, backlog, segments, rttMs };
    const words = Object.entries(figures).map(([what, figure]) => `${what} ${figure ?? "-"}`);
    return [`${((at - since) / 1_000).toFixed(1)} s: ${words.join(", ")}`];
  });

/** Between two looks less than a tenth of what was due has been taken; of less than `least` nobody can tell. */
const isNothing = (
  samples: readonly Sample[],
  from: Sample,
  to: Sample,
  least = LEAST_DUE_BYTES,
): boolean => {
  const taken = takenBetween(samples, from, to);
  const speed = speedBetween(from, to);
  // Where the kernel cannot tell, FFmpeg's own progress is all there is; and that it reads on, as its
  // progress may have fallen silent for ever.
  if (taken === null) return speed !== null && speed < TRICKLE && !hasRead(from, to);
  const heldUp = isHeldUp(from, to);
  // However little there was before: one that hangs in its first second has written next to nothing.
  if (taken <= 0 && heldUp) return true;
  const due = dueBetween(samples, from, to);
  if (due === null || due < least) return false;
  // Where the receiver has all there is, how much that is was not up to it.
  const isUpToDate = (to.connection?.backlog ?? 0) < LEAST_DUE_BYTES;
  return taken < (heldUp && isUpToDate ? least : due * TRICKLE);
};

const hasRead = (from: Sample, to: Sample): boolean =>
  typeof from.read === "number" && (to.read ?? 0) - from.read >= LEAST_DUE_BYTES;

/** Media goes on and none of it was to be sent, at a seam say: what was read meanwhile nobody tells. */
const isWithoutNews = (from: Sample, to: Sample): boolean =>
  !isHeldUp(from, to) && writtenBetween(from, to) === 0 && ackedBetween(from, to) === 0;

/** FFmpeg's own progress does not say that media goes on. */
const isHeldUp = (from: Sample, to: Sample): boolean => {
  const speed = speedBetween(from, to);
  return speed === null || speed < HELD_UP;
};

/**
 * Bytes that should have arrived: what FFmpeg wrote, while its media goes on; where it is held up, as
 * much as it used to write in that time. Null where nothing is known of either.
 */
const dueBetween = (samples: readonly Sample[], from: Sample, to: Sample): number | null => {
  const written = writtenBetween(from, to);
  if (written !== null && !isHeldUp(from, to)) return written;
  const [first] = samples;
  const arrived = first === undefined ? null : ackedBetween(first, from);
  const usual =
    to.written !== null && to.mediaMs !== null && to.mediaMs > 1_000
      ? to.written / to.mediaMs
      : first !== undefined && arrived !== null && from.at - first.at > 1_000
        ? arrived / (from.at - first.at)
        : null;
  return usual === null ? null : usual * (to.at - from.at);
};

const congested = (samples: readonly Sample[], host: string): Delivery | null => {
  const last = samples.at(-1);
  const from = backFrom(samples, CONGESTED_MS - 2_000);
  if (last === undefined || from === null) return null;
  const pace = paceBetween(from, last);
  if (pace === null || pace >= CONGESTED_BELOW) return null;
  // A minute that was poor throughout, and not one with a pause in it.
  const ends = [0.75, 0.5, 0.25, 0].map((part) => backFrom(samples, CONGESTED_MS * part) ?? last);
  const quarters = ends.map((end, n) => paceBetween(ends[n - 1] ?? from, end));
  if (quarters.some((quarter) => quarter !== null && quarter >= QUARTER_BELOW)) return null;
  const ratio = `${pace.toFixed(2)}x`;
  const backlog = last.connection?.backlog ?? 0;
  // Less than a second of media: nothing is waiting for the network.
  const isFree = last.connection !== null && backlog < (usualBytes(last) ?? Infinity);
  const why = isFree
    ? `FFmpeg comes along at only ${ratio}: the machine or the disk is too slow for this stream`
    : `${host} takes only ${ratio} of what is due, ${megabytes(backlog)} behind: the network or the ` +
      "receiver is too slow for this bitrate";
  return { health: "congested", why };
};

/** Media seconds that arrived per second; 1 is what a live channel needs. */
const paceBetween = (from: Sample, to: Sample): number | null => {
  const speed = speedBetween(from, to);
  const written = writtenBetween(from, to);
  const acked = ackedBetween(from, to);
  if (speed === null) return null;
  if (acked === null) return speed;
  // FFmpeg's progress has fallen silent where bytes arrive that it does not tell of.
  if (written === null || written <= 0) return acked > 0 ? null : speed;
  // Kernel and FFmpeg are not asked at the same moment: of a few bytes a second that is a part that counts.
  const held = (to.connection?.backlog ?? 0) - (from.connection?.backlog ?? 0);
  return (Math.max(acked, written - held) / written) * speed;
};

const usualBytes = ({ written, mediaMs }: Sample): number | null =>
  written === null || mediaMs === null || mediaMs < 1_000 ? null : (written / mediaMs) * 1_000;

const megabytes = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
