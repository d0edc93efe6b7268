import { landAt } from "./landing.ts";
import type { Input } from "../reach/input.ts";
import type { MediaInfo } from "./media-info.ts";
import { readPackets, seconds } from "./packets.ts";

type Tools = { readonly ffprobe: string };

/** How far before the wanted time to look for a keyframe where a seek does not find one by itself. */
const LOOK_BACK_MS = [2_000, 12_000, 60_000, 600_000];

/**
 * Where a run should begin so that its picture starts with the last keyframe at or before the offset
 * `ms`: an offset into the item in milliseconds, exact to the microsecond, for `playlist`'s
 * `resumeFrom`. 0 where there is none, or where the file cannot be read.
 */
export const keyframeAtOrBefore = async (
  input: Input,
  ms: number,
  media: MediaInfo,
  tools: Tools,
  signal?: AbortSignal,
): Promise<number> => {
  if (ms <= 0) return 0;
  const wanted = media.startMs + ms;
  const offset = (at: number): number =>
    Math.max(0, Math.round((at - media.startMs) * 1000) / 1000);

  // Where there is an index, a seek lands on the keyframe, and seeking to its time lands there again.
  const at = await landAt(input, wanted, media, tools, signal);
  if (at !== null && at.key.ptsMs <= wanted) return offset(at.key.ptsMs);

  // MPEG-TS and MPEG-PS land on any packet, by its decoding time; others may land after the time.
  for (const back of LOOK_BACK_MS) {
    const from = Math.max(media.startMs, wanted - back);
    const interval = `${seconds(from)}%${seconds(wanted + 1000)}`;
    const found = (await readPackets(input, interval, tools, signal)) ?? [];
    const key = found.findLast(
      (packet) => packet.stream === media.video.index && packet.key && packet.ptsMs <= wanted,
    );
    // Seeking to its decoding time starts with it; what comes before it in time stays unread.
    if (key !== undefined) return offset(key.dtsMs);
    if (from === media.startMs) break;
  }
  return 0;
};
