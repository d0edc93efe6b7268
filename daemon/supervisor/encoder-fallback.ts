import type { Tracks } from "../../shared/contract/status.ts";
import { candidateOf } from "../encoders/candidates.ts";
import type { Failure } from "../ffmpeg/failure.ts";

/** What a hardware encoder's failure leads to. */
export type EncoderVerdict = {
  readonly failure: Failure;
  /** Why software is to encode from now on, until an operator starts the stream; null where it is not. */
  readonly fallback: string | null;
};

/** Drivers fail in many words, or in none: before anything was delivered these speak against the encoder. */
const BEFORE_DELIVERY: ReadonlySet<string> = new Set([
  "encoder-failed",
  "no-media",
  "crashed",
  "unknown",
  "out-of-memory",
  "codec-unsupported",
  "option-unsupported",
]);
const LATER: ReadonlySet<string> = new Set(["encoder-failed", "crashed"]);

/** Delivered, and not only begun. */
const DELIVERED_MS = 1_000;

/**
 * Whether a failure is that of the hardware encoder a run was using; null where it used none, or where
 * something else is to blame. `isWitnessed`: it is known how the process ended. `mayFallBack` is
 * HARDWARE_ENCODER_FALLBACK.
 */
export const judgeEncoder = (
  tracks: Tracks | null,
  failure: Failure,
  outTimeMs: number | null,
  isWitnessed: boolean,
  mayFallBack: boolean,
): EncoderVerdict | null => {
  const encoder = tracks?.video.encoder ?? null;
  if (encoder === null || candidateOf(encoder)?.kind !== "hardware") return null;
  const suspects = (outTimeMs ?? 0) < DELIVERED_MS ? BEFORE_DELIVERY : LATER;
  if (!isWitnessed || !suspects.has(failure.reason)) return null;
  const why = `${encoder} failed: ${failure.message}`;
  if (mayFallBack) {
    return { failure: { reason: "encoder-failed", permanent: false, message: why }, fallback: why };
  }
  // What may have had another cause is tried again.
  if (failure.reason !== "encoder-failed" && outTimeMs !== null) return null;
  const message =
    `${why}. HARDWARE_ENCODER_FALLBACK is off, so software does not take over: ` +
    "switch it on, or choose another encoder (streambro encoders)";
  return { failure: { reason: "encoder-failed", permanent: true, message }, fallback: null };
};
