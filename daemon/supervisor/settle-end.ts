import { instant } from "../clock/clock.ts";
import type { Exit } from "../ffmpeg/failure.ts";
import { judgeEncoder } from "./encoder-fallback.ts";
import { type ExitAccount, accountFor } from "./exit-account.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";
import type { StreamContext } from "./stream-context.ts";
import type { TrackRecord } from "./track-record.ts";

/** Explains how a run ended, remembers it and says it; the value is what it means for the stream. */
export const settleEnd = (
  { log, name, places, clock, monotonic, settings }: StreamContext,
  track: TrackRecord,
  session: Session,
  state: State,
  exit: Exit,
): ExitAccount["how"] => {
  session.look(monotonic(), undefined);
  const outTimeMs = track.outTimeOf(session);
  const { record } = session.contents;
  const stop = state.is !== "stopping" ? null : (state.failure ?? "asked");
  const account = accountFor(exit, session.contents, outTimeMs, stop, places.log);
  track.ended(account, instant(clock.now()));
  const { lastExit, how } = account;
  log.info({ event: "exited", ...lastExit }, `${name}: FFmpeg ended: ${lastExit.message}`);
  // An encoder that hangs keeps FFmpeg from even connecting; a receiver that is silent does not.
  const hangs = stop !== "asked" && stop?.reason === "no-media" && session.evidence.acked === 0;
  if (typeof how === "string" || (stop !== null && !hangs)) return how;
  const { HARDWARE_ENCODER_FALLBACK: mayFallBack } = settings();
  const isWitnessed = exit.code !== null || exit.signal !== null;
  const verdict = judgeEncoder(record.tracks, how, outTimeMs, isWitnessed, mayFallBack);
  if (verdict === null) return how;
  if (verdict.fallback !== null) {
    track.fallback = verdict.fallback;
    const { encoder } = record.tracks?.video ?? {};
    const sentence = `${name}: ${verdict.fallback}; software encodes until it is started again`;
    log.warn({ event: "encoder-fallback", encoder }, sentence);
  }
  return verdict.failure;
};
