import { z } from "zod";
import type { Interleave } from "./interleave.ts";
import type { MediaInfo } from "./media-info.ts";

/** No film is longer: what says so is damaged, and reckoning with it would leave the numbers behind. */
const MOST_SECONDS = 1e9;
const Seconds = z.coerce.number().min(-MOST_SECONDS).max(MOST_SECONDS).optional().catch(undefined);
const Count = z.number().min(0).max(1e6);
const Stream = z.looseObject({
  index: Count,
  codec_type: z.string().optional(),
  codec_name: z.string().default("unknown"),
  width: Count.default(0),
  height: Count.default(0),
  has_b_frames: Count.default(0),
  r_frame_rate: z.string().default("0/0"),
  avg_frame_rate: z.string().default("0/0"),
  sample_rate: z.coerce.number().min(0).default(0),
  channels: Count.default(0),
  frame_size: z.number().optional(),
  start_time: Seconds,
  duration: Seconds,
  pix_fmt: z.string().default("unknown"),
  field_order: z.string().default("unknown"),
  sample_aspect_ratio: z.string().default("1:1"),
  disposition: z.record(z.string(), z.number()).default({}),
  side_data_list: z.array(z.looseObject({ rotation: z.number().optional() })).default([]),
});
const Report = z.looseObject({
  streams: z.array(Stream).default([]),
  format: z.looseObject({ format_name: z.string(), start_time: Seconds, duration: Seconds }),
});

const frameOf = (rate: string): number | null => {
  const [up = 0, down = 0] = rate.split("/").map(Number);
  const ms = (1000 * down) / up;
  return up > 0 && ms > 0 && ms <= MOST_SECONDS ? ms : null;
};

/** Samples in one packet, by codec: ffprobe does not say. */
const FRAME_SAMPLES: ReadonlyMap<string, number> = new Map([
  ["aac", 1024],
  ["mp3", 1152],
  ["mp2", 1152],
  ["ac3", 1536],
  ["eac3", 1536],
  ["opus", 960],
]);

export type ProbeReport = {
  readonly container: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly video: MediaInfo["video"];
  readonly audio: MediaInfo["audio"];
  /** Ends of the tracks as offsets, where the container says. */
  readonly videoEndMs: number | null;
  readonly audioEndMs: number | null;
};

const endOf = (stream: z.infer<typeof Stream>, startMs: number): number | null =>
  stream.duration === undefined
    ? null
    : (stream.duration + (stream.start_time ?? 0)) * 1000 - startMs;

/** Shorter than this is a still picture with a clock. */
const SHORTEST_MS = 200;

const parsed = (json: string): z.infer<typeof Report> | null => {
  try {
    return Report.parse(JSON.parse(json));
  } catch {
    return null;
  }
};

/** A picture for show, such as a cover: no film, although its track is called video. */
const isStill = ({ disposition }: z.infer<typeof Stream>): boolean =>
  ["attached_pic", "timed_thumbnails", "still_image"].some((flag) => disposition[flag] === 1);

/** Of several languages or commentaries the one that players choose. */
const soundTrack = (
  streams: readonly z.infer<typeof Stream>[],
): z.infer<typeof Stream> | undefined => {
  const heard = streams.filter(
    (s) => s.codec_type === "audio" && s.codec_name !== "unknown" && s.sample_rate > 0,
  );
  return heard.find(({ disposition }) => disposition["default"] === 1) ?? heard[0];
};

/** No picture is turned further, unless by numbers that can no longer be reckoned with. */
const MOST_DEGREES = 36_000;

/** ffprobe counts anticlockwise, players clockwise. */
const rotationOf = ({ side_data_list }: z.infer<typeof Stream>): number => {
  const told = side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0;
  if (Math.abs(told) > MOST_DEGREES) return 0;
  return (((Math.round(-told / 90) * 90) % 360) + 360) % 360;
};

const FIELD_ORDERS = new Set(["tt", "bb", "tb", "bt"]);

const aspectOf = (ratio: string): number => {
  const [up = 0, down = 0] = ratio.split(":").map(Number);
  const aspect = up / down;
  // Beyond this it is a mistake, and nobody would want a picture so wide.
  return aspect > 0.25 && aspect < 4 ? aspect : 1;
};

/** ffprobe's JSON, parsed, or what is missing in it. */
export const readReport = (json: string): ProbeReport | "no-video" | "no-duration" | "damaged" => {
  const report = parsed(json);
  if (report === null) return "damaged";
  const video = report.streams.find((s) => s.codec_type === "video" && !isStill(s));
  const audio = soundTrack(report.streams);
  const durationMs = (report.format.duration ?? 0) * 1000;
  if (video === undefined) return "no-video";
  if (!(durationMs >= SHORTEST_MS)) return "no-duration";
  const startMs = (report.format.start_time ?? 0) * 1000;
  const frameMs = frameOf(video.avg_frame_rate) ?? frameOf(video.r_frame_rate) ?? 40;
  return {
    container: report.format.format_name,
    durationMs,
    startMs,
    video: {
      index: video.index,
      codec: video.codec_name,
      width: video.width,
      height: video.height,
      frameMs,
      reorderMs: video.has_b_frames * frameMs,
      rotation: rotationOf(video),
      interlaced: FIELD_ORDERS.has(video.field_order),
      pixelFormat: video.pix_fmt,
      pixelAspect: aspectOf(video.sample_aspect_ratio),
    },
    audio:
      audio === undefined
        ? null
        : {
            index: audio.index,
            codec: audio.codec_name,
            frameMs:
              (1000 * (FRAME_SAMPLES.get(audio.codec_name) ?? 2048)) / (audio.sample_rate || 44100),
            sampleRate: audio.sample_rate,
            channels: audio.channels,
          },
    videoEndMs: endOf(video, startMs),
    audioEndMs: audio === undefined ? null : endOf(audio, startMs),
  };
};

/** What the container claims, corrected by what its packets showed. */
export const mediaInfo = (
  report: ProbeReport,
  order: Interleave,
  file: { readonly sizeBytes: number; readonly mtimeMs: number },
): MediaInfo => {
  const { container, startMs, durationMs, video, audio } = report;
  const offset = (ms: number | null): number | null => (ms === null ? null : ms - startMs);
  const videoEnd = offset(order.video.toMs) ?? report.videoEndMs ?? durationMs;
  const audioEnd = audio === null ? videoEnd : (offset(order.audio.toMs) ?? report.audioEndMs ?? 0);
  const videoFrom = offset(order.video.fromMs) ?? 0;
  const audioFrom = audio === null ? videoFrom : (offset(order.audio.fromMs) ?? durationMs);
  return {
    container,
    durationMs,
    startMs,
    sizeBytes: file.sizeBytes,
    mtimeMs: file.mtimeMs,
    video: { ...video, reorderMs: Math.max(video.reorderMs, order.reorderMs) },
    audio,
    longestTrackMs: Math.max(videoEnd, audioEnd),
    headMs: Number.isFinite(order.startMs) ? Math.min(0, order.startMs - startMs) : 0,
    leastPassMs: Math.max(0, order.video.decodedMs ?? 0, order.audio.decodedMs ?? 0),
    shared: {
      fromMs: Math.max(0, videoFrom, audioFrom),
      toMs: Math.min(videoEnd, audioEnd),
    },
    skewMs: order.skewMs,
  };
};
