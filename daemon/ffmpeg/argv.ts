import { encoderArguments } from "../encoders/arguments.ts";
import type { EncoderChoice } from "../encoders/choice.ts";
import { DEMUXERS } from "../media/demuxers.ts";
import { LIST_OPTIONS } from "../media/playlist.ts";
import type { TrackPlan } from "../media/track-plan.ts";

/** What one run of FFmpeg needs to know; every path absolute. */
export type Command = {
  readonly ffmpeg: string;
  readonly playlist: string;
  readonly plan: TrackPlan;
  /** Where the picture is encoded, its encoder. */
  readonly encoder: EncoderChoice | null;
  readonly output: { readonly url: string; readonly preset: string | null };
};

/** Containers that each kind of destination takes. */
export const containerOf = (url: string): "flv" | "mpegts" =>
  url.startsWith("srt:") ? "mpegts" : "flv";

/** Seconds between two reports of progress: a restart can know its position no better than this. */
export const STATS_PERIOD_S = 0.5;

/**
 * FFmpeg's command line for one picture and one sound. Nothing secret is in it: keys are in the preset
 * file. Progress goes to descriptor 3, which the runner opens.
 */
export const ffmpegArgv = ({
  ffmpeg,
  playlist,
  plan,
  encoder,
  output,
}: Command): readonly [string, ...string[]] => {
  const container = containerOf(output.url);
  const picture = pictureArguments(plan.video, encoder);
  const sound = soundArguments(plan.audio);
  return [
    ffmpeg,
    "-hide_banner",
    // The status line would fill the log; progress has the same figures.
    "-nostats",
    ...["-progress", "pipe:3", "-stats_period", String(STATS_PERIOD_S)],
    ...picture.global,
    "-re",
    // A playlist may name files and nothing else: no network, no pipe, no device.
    ...["-protocol_whitelist", "file", "-format_whitelist", `concat,${DEMUXERS}`],
    ...LIST_OPTIONS,
    ...picture.input,
    ...["-i", playlist],
    ...sound.input,
    ...["-map", `0:${plan.video.index}`, ...sound.map],
    ...(isCopy(plan) ? ["-c", "copy"] : [...picture.output, ...sound.output]),
    ...(container === "flv" ? ["-flvflags", "no_duration_filesize", "-rw_timeout", "5000000"] : []),
    ...["-f", container],
    ...(output.preset === null ? [] : ["-fpre", output.preset]),
    output.url,
  ];
};

const isCopy = ({ video, audio }: TrackPlan): boolean =>
  video.action === "copy" && (audio.action === "copy" || audio.action === "none");

type PictureArguments = {
  readonly global: readonly string[];
  readonly input: readonly string[];
  readonly output: readonly string[];
};

const pictureArguments = (
  video: TrackPlan["video"],
  encoder: EncoderChoice | null,
): PictureArguments => {
  if (video.action === "copy") return { global: [], input: [], output: ["-c:v", "copy"] };
  if (encoder === null) throw new Error("a picture is to be encoded, and nothing says by what");
  const { filters, ...rate } = video.picture;
  const own = encoderArguments(encoder, rate);
  return {
    global: own.global,
    // Not every release of FFmpeg sees through a playlist how a film is turned: the filters do it.
    input: ["-noautorotate"],
    output: ["-vf", [...filters, ...own.filters].join(","), ...own.output],
  };
};

type SoundArguments = {
  readonly input: readonly string[];
  readonly map: readonly string[];
  readonly output: readonly string[];
};

/** Fills the seams of a loop, which are shorter than FFmpeg would mind, or sound and picture drift apart. */
const EVEN = "aresample=async=1:min_hard_comp=0.04:first_pts=0";

const soundArguments = (audio: TrackPlan["audio"]): SoundArguments => {
  const aac = (kbps: number): readonly string[] => ["-c:a", "aac", "-b:a", `${kbps}k`];
  switch (audio.action) {
    case "none":
      return { input: [], map: [], output: [] };
    case "copy":
      return { input: [], map: ["-map", `0:${audio.index}`], output: ["-c:a", "copy"] };
    case "encode": {
      const { sampleRate, audioKbps } = audio.sound;
      const format = ["-ar", String(sampleRate), "-ac", "2"];
      return {
        input: [],
        map: ["-map", `0:${audio.index}`],
        output: ["-af", EVEN, ...format, ...aac(audioKbps)],
      };
    }
    case "silence": {
      const { sampleRate, audioKbps } = audio.sound;
      return {
        input: ["-f", "lavfi", "-i", `anullsrc=r=${sampleRate}:cl=stereo`],
        map: ["-map", "1:0"],
        // Silence has no end of its own.
        output: [...aac(audioKbps), "-shortest"],
      };
    }
  }
};

/** The options file of an output: one `name=value` a line. */
export const presetText = (secrets: Readonly<Record<string, string>>): string =>
  Object.entries(secrets)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
