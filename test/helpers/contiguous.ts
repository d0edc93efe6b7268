import { ofTrack, type Packet, type Track } from "./packets.ts";

/** Packets `from` (inclusive) to `to` (exclusive) of a source played over and over. */
export type Piece = {
  /** Index in the source. */
  readonly from: number;
  /** Counted on from there, so past the source's length after a loop. */
  readonly to: number;
  /** Packets of this track in the source. */
  readonly sourceLength: number;
};

const fits = (run: readonly Packet[], source: readonly Packet[], from: number): boolean =>
  run.every(({ hash }, index) => hash === source[(from + index) % source.length]?.hash);

/**
 * Where in the endlessly looped source a run of packets of one track starts and ends; null where it
 * is not one piece without a gap, a repetition or a strange packet, longer than `loops` rounds, or
 * empty. Of several places that fit it gives the first.
 */
export const trackPiece = (
  run: readonly Packet[],
  source: readonly Packet[],
  loops: number = Infinity,
): Piece | null => {
  if (run.length === 0) return null;
  const from = source.findIndex((_, index) => fits(run, source, index));
  if (from < 0) return null;
  const to = from + run.length;
  return to > loops * source.length ? null : { from, to, sourceLength: source.length };
};

/** The same for every track that the source has; null where one of them is not contiguous. */
export const isContiguousPiece = (
  run: readonly Packet[],
  source: readonly Packet[],
  loops: number = Infinity,
): Partial<Record<Track, Piece>> | null => {
  const pieces: Partial<Record<Track, Piece>> = {};
  for (const track of ["video", "audio"] as const) {
    const whole = ofTrack(source, track);
    if (whole.length === 0) continue;
    const piece = trackPiece(ofTrack(run, track), whole, loops);
    if (piece === null) return null;
    pieces[track] = piece;
  }
  return pieces;
};

/** The first place where a run stops following the looped source, for a failure's message. */
export const firstBreak = (
  run: readonly Packet[],
  source: readonly Packet[],
): { at: number; packet: Packet; sourceIndex: number } | null => {
  const start = source.findIndex(({ hash }) => hash === run[0]?.hash);
  for (const [at, packet] of run.entries()) {
    if (start >= 0 && packet.hash === source[(start + at) % source.length]?.hash) continue;
    return { at, packet, sourceIndex: source.findIndex(({ hash }) => hash === packet.hash) };
  }
  return null;
};
