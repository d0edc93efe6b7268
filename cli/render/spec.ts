import type { Encoding, StreamSpec } from "../../shared/contract/spec.ts";
import { printable } from "../../shared/stream-name.ts";
import { facts } from "./facts.ts";

/** A stream's settings, one a line. */
export const specLines = (spec: StreamSpec): string[] =>
  facts([
    ["name", spec.name],
    ["owner", printable(spec.owner)],
    ["input", `${printable(spec.input, 4096)}${spec.loop ? ", in a loop" : ", once"}`],
    ...spec.outputs.map(({ url, hasKey }): [string, string] => [
      "to",
      `${printable(url, 4096)}${hasKey ? ", with a key" : ", no key"}`,
    ]),
    ["mode", spec.mode],
    ...encodingFacts(spec.encoding ?? {}),
    ["on breach", spec.onResourceBreach ?? "warn"],
    ["revision", String(spec.revision)],
  ]);

/** Only what an operator has chosen; a daemon of release 0.1 tells nothing. */
const encodingFacts = (encoding: Partial<Encoding>): [string, string][] => {
  const { width = null, height = null, fps = null, videoKbps = null } = encoding;
  const { audioKbps = null, preset = null, encoder = null } = encoding;
  const given: [string, string | null][] = [
    ["size", width === null || height === null ? null : `${width}x${height}`],
    ["fps", fps === null ? null : String(Math.round(fps * 100) / 100)],
    ["video rate", videoKbps === null ? null : `${videoKbps} kbit/s`],
    ["audio rate", audioKbps === null ? null : `${audioKbps} kbit/s`],
    ["preset", preset],
    ["encoder", encoder],
  ];
  return given.flatMap(([label, value]): [string, string][] =>
    value === null ? [] : [[label, value]],
  );
};
