import { type Input, looking, openableName } from "../reach/input.ts";
import { runBounded } from "./bounded.ts";
import { clockJumpsBack } from "./clock-jump.ts";
import { interleaveOf } from "./interleave.ts";
import { lookAt } from "./look.ts";
import type { MediaInfo } from "./media-info.ts";
import { LOOK_MS, findPackets, inputOptions, seconds } from "./packets.ts";
import type { Packet } from "./packets.ts";
import { type Refusal, complaint, unopened } from "./probe-complaint.ts";
import { mediaInfo, readReport } from "./probe-report.ts";
import type { ProbeReport } from "./probe-report.ts";

export type ProbeResult = { readonly ok: true; readonly media: MediaInfo } | Refusal;

type Tools = { readonly ffprobe: string };

/** Longest that examining an input may take, all in all. */
const ALL_MS = 25_000;

/**
 * Examines an input. Never throws for a bad one, never opens what is not a regular file, and answers in
 * time whatever its disk does.
 */
export const probeInput = async (
  input: Input,
  tools: Tools,
  signal?: AbortSignal,
): Promise<ProbeResult> => {
  const timeout = AbortSignal.timeout(ALL_MS);
  const within = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const found = await lookAt(input, LOOK_MS, within);
  if ("failed" in found) return unopened(input, found.failed, found.at);
  if (found.kind !== "file") return unopened(input, found.kind);
  if (!found.readable) return unopened(input, "forbidden");
  if (found.sizeBytes === 0) return unopened(input, "empty");
  const shown = ["-show_format", "-show_streams", "-of", "json"];
  const described = await runBounded(
    input.path,
    looking(input, [tools.ffprobe, ...inputOptions, ...shown, `file:${openableName(input)}`]),
    { withinMs: LOOK_MS, mostBytes: 4_000_000, signal: within },
  );
  if (described.exitCode !== 0) return complaint(input, await headOf(input, within), described);
  const report = readReport(described.stdout.toString("utf8"));
  if (typeof report === "string") return unopened(input, report);
  const samples: (readonly Packet[])[] = [];
  let endIsMissing = false;
  for (const intervals of sampleIntervals(report)) {
    const packets = await findPackets(input, intervals, tools, within);
    if (packets === "timed-out") return unopened(input, "timed-out");
    endIsMissing = packets !== "failed" && packets.length === 0;
    samples.push(packets === "failed" ? [] : packets);
  }
  if (samples[0]?.every((packet) => packet.stream !== report.video.index) ?? true)
    return unopened(input, "no-packets");
  if (endIsMissing) return unopened(input, "cut");
  if (await clockJumpsBack(input, report.container, found.sizeBytes, within))
    return unopened(input, "clock");
  const heard = withoutEmptySound(report, samples);
  const order = interleaveOf(samples, heard.video, heard.audio);
  return { ok: true, media: mediaInfo(heard, order, found) };
};

/** The first bytes; none where it is gone since, when ffprobe's complaint speaks for itself. */
const headOf = async (input: Input, signal: AbortSignal): Promise<Buffer> => {
  const bounds = { withinMs: 5_000, mostBytes: 4_096, signal };
  const command = looking(input, ["head", "-c", "16", "--", openableName(input)]);
  return (await runBounded(input.path, command, bounds)).stdout;
};

/** The beginning, the middle and the end, five seconds each. */
const sampleIntervals = ({ startMs, durationMs, ...report }: ProbeReport): readonly string[] => {
  const at = (ms: number): string => seconds(startMs + Math.max(0, ms));
  // A track of chapters or subtitles may go on long after the film.
  const { videoEndMs, audio, audioEndMs } = report;
  const ends = [videoEndMs ?? durationMs, audio === null ? 0 : (audioEndMs ?? durationMs)];
  const endMs = Math.min(durationMs, Math.max(...ends));
  return ["%+5", `${at(endMs / 2)}%+5`, at(endMs - 5000)];
};

/** A track of sound that holds nothing is none: a muxer would wait for it for ever. */
const withoutEmptySound = (
  report: ProbeReport,
  samples: readonly (readonly Packet[])[],
): ProbeReport => {
  const { audio } = report;
  const isHeard = samples.some((packets) => packets.some(({ stream }) => stream === audio?.index));
  return isHeard ? report : { ...report, audio: null, audioEndMs: null };
};
