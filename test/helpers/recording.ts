import { z } from "zod";
import { output } from "./command.ts";

const Probed = z.object({
  streams: z.array(
    z.looseObject({
      codec_type: z.string(),
      codec_name: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      channels: z.number().optional(),
      sample_rate: z.string().optional(),
    }),
  ),
  packets: z.array(
    z.object({
      codec_type: z.string(),
      pts_time: z.coerce.number(),
      dts_time: z.coerce.number(),
      flags: z.string(),
    }),
  ),
});

export type Track = {
  readonly codec: string;
  readonly packets: number;
  readonly fromS: number;
  readonly toS: number;
  /** Seconds from one packet to the next at most, and at least: never below 0. */
  readonly largestGap: number;
  readonly smallestGap: number;
  /** Seconds from one keyframe to the next at most. */
  readonly largestKeyGap: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleRate: number;
};

const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? time));

/** What a receiver got, by track; null where there is none. */
export const readRecording = async (
  file: string,
): Promise<Record<"video" | "audio", Track | null>> => {
  const shown = "packet=codec_type,pts_time,dts_time,flags:stream";
  const asked = ["-v", "error", "-of", "json=c=1", "-show_entries", shown, file];
  const { streams, packets } = Probed.parse(JSON.parse(await output("ffprobe", asked)));
  const track = (kind: "video" | "audio"): Track | null => {
    const stream = streams.find(({ codec_type }) => codec_type === kind);
    const own = packets.filter(({ codec_type }) => codec_type === kind);
    if (stream === undefined || own.length === 0) return null;
    const times = own.map(({ dts_time }) => dts_time);
    const keys = own.filter(({ flags }) => flags.startsWith("K")).map(({ pts_time }) => pts_time);
    return {
      codec: stream.codec_name ?? "unknown",
      packets: own.length,
      fromS: times[0] ?? 0,
      toS: times.at(-1) ?? 0,
      largestGap: Math.max(0, ...gaps(times)),
      smallestGap: Math.min(Infinity, ...gaps(times)),
      largestKeyGap: Math.max(0, ...gaps(keys)),
      width: stream.width ?? 0,
      height: stream.height ?? 0,
      channels: stream.channels ?? 0,
      sampleRate: Number(stream.sample_rate ?? 0),
    };
  };
  return { video: track("video"), audio: track("audio") };
};
