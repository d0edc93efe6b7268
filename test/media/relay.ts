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
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import { LIST_OPTIONS } from "../../daemon/media/playlist.ts";
import type { Lists } from "../../daemon/media/playlist.ts";

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
  const { stdout } = await execa(
    "ffprobe",
    ["-v", "quiet", "-of", "json", "-show_data_hash", "md5", "-show_entries"].concat(
      "packet=codec_type,stream_index,dts_time,flags,data_hash",
      file,
    ),
  );
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

/** Writes what a run's folder holds. */
export const layOut = (folder: string, input: string, lists: Lists): void => {
  mkdirSync(folder, { recursive: true });
  symlinkSync(input, path.join(folder, `item-0${path.extname(input)}`));
  for (const [name, text] of Object.entries(lists)) writeFileSync(path.join(folder, name), text);
};

export type Ended = {
  readonly flv: string;
  readonly outTimeMs: number;
  readonly code: number | null;
  readonly log: string;
};

/** Plays a run's folder into an FLV file as a stream does into a socket, until it has `killAt` bytes. */
export const play = async (
  folder: string,
  pace: readonly string[],
  killAt: number,
): Promise<Ended> => {
  const flv = path.join(folder, "out.flv");
  const progress = openSync(path.join(folder, "progress"), "a");
  const log = openSync(path.join(folder, "log"), "a");
  const argv = ["-v", "warning", "-progress", "pipe:3", "-stats_period", "0.5", ...pace].concat(
    LIST_OPTIONS,
    ["-i", "outer.ffconcat", "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy"],
    ["-flush_packets", "1", "-f", "flv", "out.flv"],
  );
  const child = spawn("ffmpeg", argv, { cwd: folder, stdio: ["ignore", "ignore", log, progress] });
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  closeSync(progress);
  closeSync(log);
  const size = (): number => statSync(flv, { throwIfNoEntry: false })?.size ?? 0;
  const deadline = Date.now() + 30_000;
  while (child.exitCode === null && size() < killAt && Date.now() < deadline) await pause(3);
  child.kill("SIGKILL");
  const code = await ended;
  const blocks = readFileSync(path.join(folder, "progress"), "utf8").split(/^progress=.*\n/m);
  // Only a whole block counts: the text after the last `progress=` line is the beginning of one.
  const times = blocks.slice(0, -1).map((text) => Number(/^out_time_us=(\d+)$/m.exec(text)?.[1]));
  const outTimeMs = (times.findLast((us) => Number.isFinite(us)) ?? 0) / 1000;
  return { flv, outTimeMs, code, log: readFileSync(path.join(folder, "log"), "utf8") };
};

/** Numbers between 0 and 1, the same for the same seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
};

/** Renders a film of `seconds` into `file`; a rate of null leaves the sound out. */
export const render = async (
  file: string,
  film: {
    readonly fps: string;
    readonly seconds: number;
    readonly sound: { readonly rate: number; readonly seconds: number } | null;
    readonly options: readonly string[];
  },
): Promise<string> => {
  const picture = `testsrc2=s=160x120:r=${film.fps}:d=${film.seconds}`;
  const sound =
    film.sound === null
      ? []
      : ["-f", "lavfi", "-i", `anoisesrc=r=${film.sound.rate}:d=${film.sound.seconds}:seed=7`];
  await execa(
    "ffmpeg",
    ["-v", "error", "-y", "-f", "lavfi", "-i", picture].concat(sound, film.options, file),
    { stdin: "ignore" },
  );
  return file;
};
