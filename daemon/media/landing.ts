import type { Input } from "../reach/input.ts";
import type { MediaInfo } from "./media-info.ts";
import { clockStart, readPackets, seconds } from "./packets.ts";
import type { Packet } from "./packets.ts";

type Tools = { readonly ffprobe: string };

/** Where a run can begin: an offset into the item, and what FFmpeg's clock then starts at. */
export type Landing = {
  /** Offset into the item, in milliseconds, exact to the microsecond. */
  readonly fromMs: number;
  /** First packet's time against `fromMs`. */
  readonly leadMs: number;
};

export const BEGINNING: Landing = { fromMs: 0, leadMs: 0 };

/** What FFmpeg delivers first when it begins at some point of a file. */
export type Landed = Landing & {
  /** First keyframe of the picture: FFmpeg drops pictures before it. */
  readonly key: Packet;
  /** Decoding time of the first packet of sound; null where none follows soon. */
  readonly soundMs: number | null;
};

/** Enough to meet both tracks; a keyframe later than this is as good as none. */
const MOST_PACKETS = 400;

/**
 * Begins at `atMs` of the file's own clock, as the concat demuxer's `inpoint` does: both ask FFmpeg
 * for the same seek. Null where no keyframe turns up soon.
 */
export const landAt = async (
  input: Input,
  atMs: number,
  media: MediaInfo,
  tools: Tools,
  signal?: AbortSignal,
): Promise<Landed | null> => {
  const found = await readPackets(input, `${seconds(atMs)}%+#${MOST_PACKETS}`, tools, signal);
  const key = found?.find((packet) => packet.stream === media.video.index && packet.key);
  if (found === null || key === undefined) return null;
  const sound = found.find((packet) => packet.stream === media.audio?.index);
  return {
    fromMs: micro(atMs - media.startMs),
    leadMs: micro(clockStart(found) - atMs),
    key,
    soundMs: sound?.dtsMs ?? null,
  };
};

/** To whole microseconds, the finest that FFmpeg takes. */
const micro = (ms: number): number => Math.round(ms * 1000) / 1000;
