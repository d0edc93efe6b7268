import { execa } from "execa";
import { printable } from "../../shared/stream-name.ts";

/** The first line of `ffmpeg -version` from its third word on, or null where it cannot be run. */
export const ffmpegVersion = async (ffmpeg: string): Promise<string | null> => {
  const result = await execa(ffmpeg, ["-version"], {
    reject: false,
    timeout: 10_000,
    stdin: "ignore",
    maxBuffer: 65_536,
  });
  return result.exitCode === 0 ? versionIn(result.stdout) : null;
};

/** The version in the output of `ffmpeg -version`. */
export const versionIn = (text: string): string | null => {
  const version = /^ffmpeg version (\S+)/.exec(text)?.[1];
  return version === undefined ? null : printable(version, 100);
};
