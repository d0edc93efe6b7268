import { DEMUXERS } from "../media/demuxers.ts";
import { LIST_OPTIONS } from "../media/playlist.ts";

/** What one run of FFmpeg needs to know; every path absolute. */
export type Command = {
  readonly ffmpeg: string;
  readonly playlist: string;
  /** Numbers of the tracks in the input: its video, and its audio where it has one. */
  readonly tracks: readonly number[];
  readonly output: { readonly url: string; readonly preset: string | null };
};

/** Containers that each kind of destination takes. */
export const containerOf = (url: string): "flv" | "mpegts" =>
  url.startsWith("srt:") ? "mpegts" : "flv";

/** Seconds between two reports of progress: a restart can know its position no better than this. */
export const STATS_PERIOD_S = 0.5;

/**
 * FFmpeg's command line for a stream copy of the first video and the first audio. Nothing secret is in
 * it: keys are in the preset file. Progress goes to descriptor 3, which the runner opens.
 */
export const ffmpegArgv = ({ ffmpeg, playlist, tracks, output }: Command): readonly string[] => {
  const container = containerOf(output.url);
  return [
    ffmpeg,
    "-hide_banner",
    // The status line would fill the log; progress has the same figures.
    "-nostats",
    ...["-progress", "pipe:3", "-stats_period", String(STATS_PERIOD_S)],
    "-re",
    // A playlist may name files and nothing else: no network, no pipe, no device.
    ...["-protocol_whitelist", "file", "-format_whitelist", `concat,${DEMUXERS}`],
    ...LIST_OPTIONS,
    ...["-i", playlist],
    ...tracks.flatMap((track) => ["-map", `0:${track}`]),
    ...["-c", "copy"],
    ...(container === "flv" ? ["-flvflags", "no_duration_filesize", "-rw_timeout", "5000000"] : []),
    ...["-f", container],
    ...(output.preset === null ? [] : ["-fpre", output.preset]),
    output.url,
  ];
};

/** The options file of an output: one `name=value` a line. */
export const presetText = (secrets: Readonly<Record<string, string>>): string =>
  Object.entries(secrets)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
