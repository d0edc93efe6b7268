import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { HardwareDetector } from "../../daemon/encoders/hardware-detector.ts";
import { findProgram } from "../../daemon/encoders/program.ts";
import type { Log } from "../../daemon/log/log.ts";

const real = (await findProgram("ffmpeg", process.env["PATH"] ?? ""))?.path ?? "ffmpeg";

/** What a fake FFmpeg answers, before it hands over to the real one: lines of a shell's `case`. */
export const CLAIMS_NVENC = '*"-c:v h264_nvenc"*) exit 0 ;;';

export type Fake = {
  readonly program: string;
  /** Command lines since the last call, one a run. */
  readonly runs: () => string[];
};

/** A script that notes its command line, answers by `cases` and is the real FFmpeg in all else. */
export const fakeFfmpeg = (directory: string, cases: string, otherwise = ""): Fake => {
  const program = path.join(directory, "ffmpeg");
  const noted = path.join(directory, "noted");
  const rest = otherwise === "" ? `exec ${real} "$@"` : otherwise;
  const lines = [`echo "$*" >> ${noted}`, 'case "$*" in', cases, "esac", rest];
  writeFileSync(program, ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 });
  writeFileSync(noted, "");
  return {
    program,
    runs: () => {
      const text = readFileSync(noted, "utf8");
      writeFileSync(noted, "");
      return text.split("\n").filter((line) => line !== "");
    },
  };
};

export type Made = {
  readonly detector: HardwareDetector;
  /** Sentences it logged, each with its level in front. */
  readonly said: string[];
};

/** A detector with a state of its own in `directory`, for a machine whose devices are in `directory`/dev. */
export const makeDetector = (
  directory: string,
  settings: Readonly<Record<string, unknown>> = {},
  more: { readonly withinMs?: number } = {},
): Made => {
  const said: string[] = [];
  const at =
    (level: string) =>
    (_: object, sentence: string): void =>
      void said.push(`${level}: ${sentence}`);
  const log: Log = {
    ...{ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    child: () => log,
  };
  const detector = new HardwareDetector({
    settings: () => SettingsSchema.parse(settings),
    file: path.join(directory, "encoders.json"),
    searchPath: process.env["PATH"] ?? "",
    dev: path.join(directory, "dev"),
    log,
    ...more,
  });
  t.teardown(() => detector.stop());
  return { detector, said };
};
