import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { FailureReason } from "../../shared/states.ts";
import { printable } from "../../shared/stream-name.ts";
import type { MediaInfo } from "./media-info.ts";
import { inputOptions, readPackets, seconds } from "./packets.ts";
import type { Packet } from "./packets.ts";
import { interleaveOf } from "./interleave.ts";
import { mediaInfo, readReport } from "./probe-report.ts";
import type { ProbeReport } from "./probe-report.ts";

export type ProbeResult =
  | { readonly ok: true; readonly media: MediaInfo }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string };

const bad = (reason: FailureReason, message: string): ProbeResult => ({
  ok: false,
  reason,
  message,
});

/** Examines an input. Never throws for a bad one: the message says what is wrong and what to do. */
export const probeInput = async (
  file: string,
  tools: { readonly ffprobe: string },
  signal?: AbortSignal,
): Promise<ProbeResult> => {
  const name = printable(path.basename(file));
  let found;
  try {
    found = await stat(file);
    if (found.isFile()) await access(file, constants.R_OK);
  } catch (error) {
    return bad(
      "input-missing",
      `${name} cannot be opened (${(error as { code?: string }).code ?? "?"}).`,
    );
  }
  if (!found.isFile()) return bad("input-corrupt", `${name} is not a file.`);
  if (found.size === 0) return bad("input-corrupt", `${name} is empty.`);
  const whole = path.resolve(file);
  const { stdout, stderr, failed } = await execa(
    tools.ffprobe,
    [...inputOptions, "-show_format", "-show_streams", "-of", "json", `file:${whole}`],
    {
      reject: false,
      stdin: "ignore",
      timeout: 20_000,
      maxBuffer: 4_000_000,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    },
  );
  if (failed) return bad("input-corrupt", `${name}: ${printable(stderr)}`);
  const facts = readReport(stdout);
  if (facts === null) return bad("input-corrupt", `${name} has no picture that moves.`);
  const samples: (readonly Packet[])[] = [];
  for (const intervals of sampleIntervals(facts)) {
    samples.push((await readPackets(whole, intervals, tools, signal)) ?? []);
  }
  const order = interleaveOf(samples, facts.video, facts.audio);
  return { ok: true, media: mediaInfo(facts, order, found) };
};

/** The beginning, the middle and the end, five seconds each. */
const sampleIntervals = (facts: ProbeReport): readonly string[] => {
  const at = (ms: number): string => seconds(facts.startMs + Math.max(0, ms));
  return ["%+5", `${at(facts.durationMs / 2)}%+5`, at(facts.durationMs - 5000)];
};
