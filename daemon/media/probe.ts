import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { FailureReason } from "../../shared/states.ts";
import { interleaveOf } from "./interleave.ts";
import type { MediaInfo } from "./media-info.ts";
import { inputOptions, readPackets, seconds } from "./packets.ts";
import type { Packet } from "./packets.ts";
import { complaint, unopened } from "./probe-complaint.ts";
import { mediaInfo, readReport } from "./probe-report.ts";
import type { ProbeReport } from "./probe-report.ts";

export type Refusal = {
  readonly ok: false;
  readonly reason: FailureReason;
  /** What is wrong and what to do, for an operator; no control characters. */
  readonly message: string;
};

export type ProbeResult = { readonly ok: true; readonly media: MediaInfo } | Refusal;

type Tools = { readonly ffprobe: string };

/** Examines an input. Never throws for a bad one, and never opens what is not a regular file. */
export const probeInput = async (
  file: string,
  tools: Tools,
  signal?: AbortSignal,
): Promise<ProbeResult> => {
  const found = await look(file);
  if ("ok" in found) return found;
  const described = await execa(
    tools.ffprobe,
    inputOptions.concat(
      "-show_format",
      "-show_streams",
      "-of",
      "json",
      `file:${path.resolve(file)}`,
    ),
    {
      reject: false,
      stdin: "ignore",
      timeout: 20_000,
      maxBuffer: 4_000_000,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    },
  );
  if (described.failed) return complaint(file, await headOf(file), described);
  const report = readReport(described.stdout);
  if (typeof report === "string") return unopened(file, report);
  const samples: (readonly Packet[])[] = [];
  for (const intervals of sampleIntervals(report))
    samples.push((await readPackets(file, intervals, tools, signal)) ?? []);
  if (samples[0]?.every((packet) => packet.stream !== report.video.index) ?? true)
    return unopened(file, "no-packets");
  const order = interleaveOf(samples, report.video, report.audio);
  return { ok: true, media: mediaInfo(report, order, found) };
};

/** The file's own facts, taken before anything opens it: opening a FIFO would block for ever. */
const look = async (file: string): Promise<Stats | Refusal> => {
  try {
    const found = await stat(file);
    if (found.isDirectory()) return unopened(file, "directory");
    if (!found.isFile()) return unopened(file, "special");
    await access(file, constants.R_OK);
    return found.size === 0 ? unopened(file, "empty") : found;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR") return unopened(file, "missing");
    return unopened(file, code === "EACCES" || code === "EPERM" ? "forbidden" : "unreadable");
  }
};

const headOf = async (file: string): Promise<Buffer> => {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer;
  } catch {
    // Gone since it was examined: the complaint speaks for itself.
    return Buffer.alloc(0);
  }
};

/** The beginning, the middle and the end, five seconds each. */
const sampleIntervals = (report: ProbeReport): readonly string[] => {
  const at = (ms: number): string => seconds(report.startMs + Math.max(0, ms));
  return ["%+5", `${at(report.durationMs / 2)}%+5`, at(report.durationMs - 5000)];
};
