import type { Metric } from "../../shared/contract/daemon.ts";

export type Sample = Pick<Metric, "name" | "labels" | "value">;

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(,|$)/y;

const labelsOf = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const found = LABEL.exec(text);
    if (found === null) throw new Error(`no label: ${text.slice(at)}`);
    const [, name = "", value = ""] = found;
    labels[name] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    at = LABEL.lastIndex;
  }
  return labels;
};

/**
 * Prometheus' text format, read strictly: each metric has HELP and TYPE, once and before its values; no
 * value comes twice. Throws where that is not so.
 */
export const parseExposition = (
  text: string,
): { samples: Sample[]; types: Map<string, string> } => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  let current = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, comment, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (comment === "HELP") {
      if (helped.has(name)) throw new Error(`helped twice: ${name}`);
      helped.add(name);
    } else if (comment === "TYPE") {
      if (types.has(name) || !helped.has(name)) throw new Error(`out of order: ${line}`);
      types.set(name, rest);
      current = name;
    } else {
      const found = LINE.exec(line);
      if (found === null || found[1] !== current) throw new Error(`not a value here: ${line}`);
      const value = Number(found[3]);
      if (!Number.isFinite(value)) throw new Error(`not a number: ${line}`);
      const labels = labelsOf(found[2] ?? "");
      const key = JSON.stringify([current, Object.entries(labels).map(String).toSorted()]);
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      samples.push({ name: current, labels, value });
    }
  }
  return { samples, types };
};

/** Sum of the values of a metric whose labels hold these; null where there is none. */
export const valueOf = (
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null => {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
};
