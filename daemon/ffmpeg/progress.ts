/** One report of FFmpeg's `-progress`; null where it said N/A or nothing. */
export type ProgressReport = {
  /** Media time written since the process started, in milliseconds. */
  readonly outTimeMs: number | null;
  readonly frame: number | null;
  readonly fps: number | null;
  readonly speed: number | null;
  readonly totalBytes: number | null;
  readonly ended: boolean;
};

/**
 * The last whole report in a piece of the progress file, or null. A report ends with its `progress=`
 * line; the file may have been cut anywhere at its start and may be mid-report at its end.
 */
export const lastReport = (text: string): ProgressReport | null => {
  const end = Math.max(text.lastIndexOf("progress=continue\n"), text.lastIndexOf("progress=end\n"));
  if (end < 0) return null;
  const before = text.lastIndexOf("\nprogress=", end - 2);
  const values = new Map<string, string>();
  for (const line of text.slice(before + 1, end).split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  // out_time_ms is in microseconds, whatever its name says.
  const micros = number(values.get("out_time_us") ?? values.get("out_time_ms"));
  return {
    outTimeMs: micros === null ? null : micros / 1000,
    frame: number(values.get("frame")),
    fps: number(values.get("fps")),
    speed: number(values.get("speed")?.replace(/x$/, "")),
    totalBytes: number(values.get("total_size")),
    ended: text.startsWith("progress=end", end),
  };
};

/** Null for what is none, and for less than nothing, which FFmpeg says before its first packet. */
const number = (text: string | undefined): number | null => {
  if (text === undefined || text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
};
