import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import { LIST_OPTIONS } from "../../daemon/media/playlist.ts";
import type { Playlist } from "../../daemon/media/playlist.ts";

export type Track = "video" | "audio";
export type Hashes = Record<Track, string[]> & { readonly dtsMs: Record<Track, number[]> };

const Packets = z.object({
  packets: z.array(
    z.object({
      codec_type: z.string(),
      stream_index: z.number(),
      dts_time: z.coerce.number().optional(),
      flags: z.string(),
      data_hash: z.string(),
    }),
  ),
});

/** The md5 of every packet of a file's first video and first audio track, in the file's order. */
export const packetHashes = async (file: string): Promise<Hashes> => {
  const { stdout } = await execa("ffprobe", [
    ...["-v", "quiet", "-show_entries", "packet=codec_type,stream_index,dts_time,flags,data_hash"],
    ...["-show_data_hash", "md5", "-of", "json", file],
  ]);
  const first = new Map<string, number>();
  const found: Hashes = { video: [], audio: [], dtsMs: { video: [], audio: [] } };
  for (const packet of Packets.parse(JSON.parse(stdout)).packets) {
    const type = packet.codec_type;
    if (type !== "video" && type !== "audio") continue;
    if ((first.get(type) ?? packet.stream_index) !== packet.stream_index) continue;
    first.set(type, packet.stream_index);
    // What a killed writer left half written.
    if (packet.flags.includes("C")) continue;
    found[type].push(packet.data_hash);
    found.dtsMs[type].push((packet.dts_time ?? Number.NaN) * 1000);
  }
  return found;
};

/** One FFmpeg playing `lists` into an FLV file, as a stream's run does into a socket. */
export const play = async (
  folder: string,
  input: string,
  lists: Playlist,
  pace: readonly string[],
  killAtBytes: number,
): Promise<{ flv: string; outTimeMs: number; code: number | null; log: string }> => {
  mkdirSync(folder, { recursive: true });
  symlinkSync(input, path.join(folder, `item-0${path.extname(input)}`));
  for (const [name, text] of Object.entries(lists.files))
    writeFileSync(path.join(folder, name), text);
  const flv = path.join(folder, "out.flv");
  const progress = openSync(path.join(folder, "progress"), "a");
  const log = openSync(path.join(folder, "log"), "a");
  const child = spawn(
    "ffmpeg",
    [
      ...["-v", "warning", "-progress", "pipe:3", "-stats_period", "0.5", ...pace],
      ...LIST_OPTIONS,
      ...["-i", "outer.ffconcat", "-map", "0:v:0", "-map", "0:a:0?"],
      ...["-c", "copy", "-flush_packets", "1", "-f", "flv", "out.flv"],
    ],
    { cwd: folder, stdio: ["ignore", "ignore", log, progress] },
  );
  const ended = once(child, "exit");
  closeSync(progress);
  closeSync(log);
  const size = (): number => statSync(flv, { throwIfNoEntry: false })?.size ?? 0;
  while (child.exitCode === null && size() < killAtBytes) await pause(3);
  child.kill("SIGKILL");
  const [code] = (await ended) as [number | null];
  const blocks = readFileSync(path.join(folder, "progress"), "utf8").split(/^progress=.*\n/m);
  // Only a whole block counts: the text after the last `progress=` line is the beginning of one.
  const times = blocks.slice(0, -1).map((block) => Number(/^out_time_us=(\d+)$/m.exec(block)?.[1]));
  const outTimeMs = (times.filter((us) => Number.isFinite(us)).at(-1) ?? 0) / 1000;
  return { flv, outTimeMs, code, log: readFileSync(path.join(folder, "log"), "utf8") };
};
