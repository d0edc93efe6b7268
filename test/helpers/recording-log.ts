import type { Log } from "../../daemon/log/log.ts";

export type Line = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly sentence: string;
};

/** A log that keeps its lines: their fields, `level` and `sentence`. */
export const recordingLog = (): { readonly log: Log; readonly lines: Line[] } => {
  const lines: Line[] = [];
  const make = (always: object): Log => {
    const at =
      (level: string) =>
      (fields: object, sentence: string): void =>
        void lines.push({ ...always, ...fields, level, sentence });
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => make({ ...always, ...fields }),
    };
  };
  return { log: make({}), lines };
};
