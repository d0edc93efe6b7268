import { clockStart, least, most } from "./packets.ts";
import type { Packet } from "./packets.ts";

export type Interleave = {
  readonly reorderMs: number;
  readonly skewMs: number;
  /** When FFmpeg's clock starts, on the file's own clock. */
  readonly startMs: number;
  /** Beginning and end of each track on the file's own clock; null where no sample showed it. */
  readonly video: Span;
  readonly audio: Span;
};

/** A track: its number, and the length of a packet where the container does not say. */
type Frames = { readonly index: number; readonly frameMs: number };

type Span = {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** From the first packet's decoding time to one packet past the last's. */
  readonly decodedMs: number | null;
};

const span = (head: readonly Packet[], tail: readonly Packet[], frameMs: number): Span => {
  if (head.length === 0 || tail.length === 0) return { fromMs: null, toMs: null, decodedMs: null };
  const last = most(tail.map((packet) => packet.dtsMs));
  return {
    fromMs: least(head.map((packet) => packet.ptsMs)),
    toMs: most(tail.map((packet) => packet.ptsMs + (packet.durationMs ?? frameMs))),
    decodedMs: last + frameMs - least(head.map((packet) => packet.dtsMs)),
  };
};

/** Furthest that either track is ahead while both still have packets to come. */
const skewOf = (packets: readonly Packet[], video: number, audio: number): number => {
  const last = Math.min(
    packets.findLastIndex((packet) => packet.stream === video),
    packets.findLastIndex((packet) => packet.stream === audio),
  );
  const at = new Map<number, number>();
  let skew = 0;
  for (const packet of packets.slice(0, last + 1)) {
    if (packet.stream !== video && packet.stream !== audio) continue;
    at.set(packet.stream, packet.dtsMs);
    const [one, other] = [at.get(video), at.get(audio)];
    if (one !== undefined && other !== undefined) skew = Math.max(skew, Math.abs(one - other));
  }
  return skew;
};

const of = (packets: readonly Packet[] | undefined, stream: number | null): readonly Packet[] =>
  (packets ?? []).filter((packet) => packet.stream === stream);

/** What samples of a file, the first from its beginning and the last to its end, say of its order. */
export const interleaveOf = (
  samples: readonly (readonly Packet[])[],
  video: Frames,
  audio: Frames | null,
): Interleave => {
  const ends = (track: Frames | null): Span =>
    span(
      of(samples.at(0), track?.index ?? null),
      of(samples.at(-1), track?.index ?? null),
      track?.frameMs ?? 0,
    );
  const pictures = samples.flatMap((packets) => of(packets, video.index));
  return {
    startMs: clockStart(samples[0] ?? []),
    reorderMs: Math.max(0, most(pictures.map((packet) => packet.ptsMs - packet.dtsMs))),
    skewMs:
      audio === null ? 0 : Math.max(0, ...samples.map((s) => skewOf(s, video.index, audio.index))),
    video: ends(video),
    audio: ends(audio),
  };
};
