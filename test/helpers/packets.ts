import { z } from "zod";
import { output } from "./command.ts";

export type Track = "video" | "audio";

export type Packet = {
  readonly track: Track;
  /** MD5 of the payload. */
  readonly hash: string;
  readonly key: boolean;
  readonly dtsMs: number | null;
};

const COPY = ["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-copyinkf", "-copyts"];
// A concat list puts parameter sets in front of each keyframe, a plain copy does not: leave out
// parameter sets and delimiters (7 to 9) everywhere, so that the same picture has the same hash.
const BARE_PICTURES = ["-bsf:v", "filter_units=remove_types=7-9"];
const AS_HASHES = ["-f", "framehash", "-hash", "md5", "-"];
const ENTRIES = "packet=codec_type,stream_index,dts_time,flags:stream=index,codec_type,codec_name";

const Stream = z.object({
  index: z.number(),
  codec_type: z.string(),
  codec_name: z.string().optional(),
});
const Probed = z.object({
  streams: z.array(Stream),
  packets: z.array(
    z.object({
      codec_type: z.string().optional(),
      stream_index: z.number(),
      dts_time: z.string().optional(),
      flags: z.string(),
    }),
  ),
});
type Stream = z.infer<typeof Stream>;

const isTrack = (text: string): text is Track => text === "video" || text === "audio";

const hashesByTrack = async (file: string, tracks: readonly Stream[]): Promise<string[][]> => {
  const avc = tracks.some(({ codec_name }) => codec_name === "h264");
  const filter = avc ? BARE_PICTURES : [];
  const args = ["-v", "error", "-i", file, ...COPY, ...filter, ...AS_HASHES];
  const text = await output("ffmpeg", args);
  const hashes: string[][] = tracks.map(() => []);
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [stream = "", , , , , hash = ""] = line.split(",").map((field) => field.trim());
    hashes[Number(stream)]?.push(hash);
  }
  return hashes;
};

/**
 * Every packet of a media file's first video and first audio track, in the file's order. Parameter
 * sets do not count towards the hash, and sequence headers are not packets.
 */
export const packetHashes = async (file: string): Promise<Packet[]> => {
  const args = ["-v", "error", "-of", "json=c=1", "-show_entries", ENTRIES, file];
  const { packets, streams } = Probed.parse(JSON.parse(await output("ffprobe", args)));
  const tracks = (["video", "audio"] as const).flatMap(
    (track) => streams.find(({ codec_type }) => codec_type === track) ?? [],
  );
  const hashes = await hashesByTrack(file, tracks);
  const next = tracks.map(() => 0);
  const found: Packet[] = [];
  for (const { codec_type: track, stream_index, dts_time, flags } of packets) {
    const at = tracks.findIndex(({ index }) => index === stream_index);
    if (at < 0 || track === undefined || !isTrack(track)) continue;
    const place = next[at] ?? 0;
    next[at] = place + 1;
    const hash = hashes[at]?.[place];
    if (hash === undefined) throw new Error(`${file}: fewer ${track} hashes than packets`);
    const dtsMs = dts_time === undefined || dts_time === "N/A" ? null : Number(dts_time) * 1000;
    found.push({ track, hash, key: flags.startsWith("K"), dtsMs });
  }
  return found;
};

export const ofTrack = (packets: readonly Packet[], track: Track): Packet[] =>
  packets.filter((packet) => packet.track === track);
