import type { MediaInfo } from "./media-info.ts";
import type { Packet } from "./packets.ts";

/** FFmpeg's muxer waits this long for a track that is silent before it sends the other alone. */
const MUXER_PATIENCE_MS = 10_000;

/** FLV's clock ticks every millisecond, and each of the two numbers compared was rounded to it. */
const ROUNDING_MS = 3;

/**
 * The decoding time up to which every packet has left FFmpeg once its `out_time` stood at `reachedMs`.
 * `packets` are those of the file in its order, from well before that, on the same clock. -Infinity
 * where a track has had no packet yet, so that the pass before may not have left whole.
 *
 * `out_time` is the end of the packet furthest ahead that the muxer was handed. The muxer sends the
 * earliest packet it holds while it holds one of every track, so what has left is what is not later
 * than the newest packet of the track that is behind.
 */
export const frontier = (
  packets: readonly Packet[],
  reachedMs: number,
  media: MediaInfo,
): number => {
  const { video, audio } = media;
  const newest = new Map<number, number>([[video.index, Number.NEGATIVE_INFINITY]]);
  if (audio !== null) newest.set(audio.index, Number.NEGATIVE_INFINITY);
  let end = Number.NEGATIVE_INFINITY;
  for (const packet of packets) {
    if (!newest.has(packet.stream)) continue;
    newest.set(packet.stream, packet.dtsMs);
    const frame = packet.stream === audio?.index ? audio.frameMs : video.frameMs;
    end = Math.max(end, packet.dtsMs + frame);
    if (end >= reachedMs - ROUNDING_MS) break;
  }
  const times = [...newest.values()];
  return Math.max(Math.min(...times), Math.max(...times) - MUXER_PATIENCE_MS);
};
