import { type Input, looking, openableName } from "../reach/input.ts";
import { runBounded } from "./bounded.ts";
import { DEMUXERS } from "./demuxers.ts";

/** One packet of a file, on the file's own clock, in milliseconds. */
export type Packet = {
  readonly stream: number;
  readonly ptsMs: number;
  readonly dtsMs: number;
  /** Null where the container does not say. */
  readonly durationMs: number | null;
  readonly key: boolean;
  /** What FFmpeg reckons a file's beginning from: sound, and pictures that are to be shown. */
  readonly timed: boolean;
};

/** Milliseconds; not a number where it says none, or one that no clock can have. */
const number = (text: string | undefined): number => {
  const ms = text === undefined || text === "" ? Number.NaN : Number(text) * 1000;
  return Number.isFinite(ms) ? ms : Number.NaN;
};

const parse = (line: string): Packet | null => {
  const [type, stream, pts, dts, duration, flags = ""] = line.split(",");
  const ptsMs = number(pts);
  const dtsMs = number(dts);
  // Some containers keep only one of the two clocks.
  const either = Number.isNaN(dtsMs) ? ptsMs : dtsMs;
  if (Number.isNaN(either)) return null;
  const length = number(duration);
  return {
    stream: Number(stream),
    ptsMs: Number.isNaN(ptsMs) ? dtsMs : ptsMs,
    dtsMs: either,
    durationMs: length > 0 ? length : null,
    key: flags.startsWith("K"),
    timed: type === "audio" || (type === "video" && !flags.includes("D")),
  };
};

/** ffprobe's lines of packets; those that say no time are left out. */
export const packetsIn = (text: string): readonly Packet[] =>
  text
    .split("\n")
    .map(parse)
    .filter((packet) => packet !== null);

/** Options that every look at an input shares: no other protocol, no script, no way to more files. */
export const inputOptions: readonly string[] = [
  "-v",
  "error",
  "-protocol_whitelist",
  "file",
  "-format_whitelist",
  DEMUXERS,
];

/** Longest that one look at an input may take. */
export const LOOK_MS = 20_000;

const SHOWN = "packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags";

/** Not by spreading them into one call: a film may have more packets than a call takes arguments. */
export const least = (values: Iterable<number>): number => {
  let found = Infinity;
  for (const value of values) found = Math.min(found, value);
  return found;
};

export const most = (values: Iterable<number>): number => {
  let found = -Infinity;
  for (const value of values) found = Math.max(found, value);
  return found;
};

/** When FFmpeg's clock starts for these packets: the earliest of each track's first. */
export const clockStart = (packets: readonly Packet[]): number => {
  const firsts = new Map<number, number>();
  for (const packet of packets)
    if (packet.timed && !firsts.has(packet.stream)) firsts.set(packet.stream, packet.ptsMs);
  return least(firsts.values());
};

/** A time as FFmpeg takes it, from milliseconds. */
export const seconds = (ms: number): string => (ms / 1000).toFixed(6);

/** What a look at packets came to, where it came to none. */
export type NoPackets = "failed" | "timed-out";

/** Packets of every track in the order in which the file gives them, by ffprobe's `intervals`. */
export const findPackets = async (
  input: Input,
  intervals: string,
  tools: { readonly ffprobe: string },
  signal?: AbortSignal,
): Promise<readonly Packet[] | NoPackets> => {
  const shown = ["-read_intervals", intervals, "-of", "csv=p=0", "-show_entries", SHOWN];
  const { stdout, exitCode, timedOut } = await runBounded(
    input.path,
    looking(input, [tools.ffprobe, ...inputOptions, ...shown, `file:${openableName(input)}`]),
    { withinMs: LOOK_MS, mostBytes: 8_000_000, signal },
  );
  if (timedOut) return "timed-out";
  if (exitCode !== 0) return "failed";
  return packetsIn(stdout.toString("utf8"));
};

/** The same; null where ffprobe failed, said too much or took too long. */
export const readPackets = async (
  ...asked: Parameters<typeof findPackets>
): Promise<readonly Packet[] | null> => {
  const found = await findPackets(...asked);
  return typeof found === "string" ? null : found;
};
