import { frontier } from "./frontier.ts";
import { keyframeAtOrBefore } from "./keyframe.ts";
import { BEGINNING, landAt } from "./landing.ts";
import type { Landed, Landing } from "./landing.ts";
import type { Input } from "../reach/input.ts";
import type { MediaInfo } from "./media-info.ts";
import { readPackets, seconds } from "./packets.ts";
import type { Packet } from "./packets.ts";
import { position } from "./position.ts";
import type { Timeline } from "./timeline.ts";

type Tools = { readonly ffprobe: string };

/** What is known of a run that has ended: how it began and the last `out_time` it reported. */
export type EndedRun = {
  readonly input: Input;
  readonly media: MediaInfo;
  readonly timeline: Timeline;
  readonly outTimeMs: number;
};

/** Longer than the muxer holds anything back. */
const LOOK_BACK_MS = 11_000;

/** Keyframes tried before the search goes back further. */
const MOST_TRIES = 3;

/**
 * Where the next run begins: at the last keyframe that had left FFmpeg when it last reported, such
 * that not one packet of picture or sound between the two runs is left out.
 */
export const resumeAfter = async (
  run: EndedRun,
  tools: Tools,
  signal?: AbortSignal,
): Promise<Landing> => {
  const { timeline, media } = run;
  const at = position(timeline, run.outTimeMs);
  const start: Landing = { fromMs: timeline.fromMs, leadMs: timeline.leadMs };
  const inThis = await resumeInPass(run, at.ms, tools, signal);
  const earliest = at.cycle === 0 ? start : BEGINNING;
  if (inThis !== null) return inThis.fromMs > earliest.fromMs ? inThis : earliest;
  if (at.cycle === 0) return start;
  // A track has not begun in this pass, so the end of the pass before is still with the muxer.
  const before = (await resumeInPass(run, media.longestTrackMs, tools, signal)) ?? BEGINNING;
  return at.cycle === 1 && before.fromMs < start.fromMs ? start : before;
};

const resumeInPass = async (
  { input, media }: EndedRun,
  ms: number,
  tools: Tools,
  signal: AbortSignal | undefined,
): Promise<Landing | null> => {
  const reached = media.startMs + ms;
  const from = Math.max(0, ms - LOOK_BACK_MS);
  // From its very beginning a file is read without a seek, which might land after the first packet.
  const begin = from === 0 ? "" : seconds(media.startMs + from);
  const interval = `${begin}%${seconds(reached + 2000)}`;
  const packets = (await readPackets(input, interval, tools, signal)) ?? [];
  const sent = frontier(packets, reached, media);
  if (sent === Number.NEGATIVE_INFINITY) return null;
  const pictures = packets.filter((packet) => packet.stream === media.video.index);
  const keys = pictures.filter((packet) => packet.key && packet.dtsMs <= sent);
  for (const key of keys.slice(-MOST_TRIES).toReversed()) {
    if (from === 0 && key === pictures[0]) return BEGINNING;
    // Most containers are sought by the time of showing, MPEG-TS by that of decoding; MP4 cut by an
    // edit list finds its keyframes late. Where a seek has landed is always looked at.
    for (const at of new Set([key.ptsMs, key.dtsMs, key.ptsMs + media.video.reorderMs])) {
      const landed = await landAt(input, at, media, tools, signal);
      if (landed?.key.ptsMs === key.ptsMs && follows(landed, packets, sent, media))
        return landing(landed);
    }
  }
  // No keyframe for longer than that, or a file that cannot be sought to each of its keyframes.
  const earlier = await keyframeAtOrBefore(input, from, media, tools, signal);
  if (earlier === 0) return BEGINNING;
  const landed = await landAt(input, media.startMs + earlier, media, tools, signal);
  return landed === null ? BEGINNING : landing(landed);
};

const landing = ({ fromMs, leadMs }: Landed): Landing => ({ fromMs, leadMs });

/** Whether a run that begins so leaves nothing out between what was sent and its first packets. */
const follows = (
  landed: Landed,
  packets: readonly Packet[],
  sent: number,
  media: MediaInfo,
): boolean => {
  const { audio } = media;
  if (audio === null) return true;
  const first = landed.soundMs ?? Number.POSITIVE_INFINITY;
  return !packets.some((p) => p.stream === audio.index && p.dtsMs > sent && p.dtsMs < first);
};
