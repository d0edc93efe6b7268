import { harmlessJson } from "./harmless.ts";

export type LogView = {
  readonly json: boolean;
  /** Whether lines of several streams mix, so that each must say whose it is. */
  readonly several: boolean;
  readonly onTerminal: boolean;
};

/** Lines of a log as they are printed: as they are for a program, harmless for a terminal. */
export const logText = (stream: string, lines: readonly string[], view: LogView): string =>
  lines
    .map((line) => {
      if (view.json) return harmlessJson({ stream, line });
      const text = view.onTerminal ? harmless(line) : line;
      return view.several ? `${stream}: ${text}` : text;
    })
    .join("\n");

/** FFmpeg prints titles and tags of the media it plays; none of that may steer the terminal. */
const harmless = (line: string): string =>
  line.replaceAll(/[\p{Cc}\p{Cf}]/gu, (found) => (found === "\t" ? found : "\uFFFD"));
