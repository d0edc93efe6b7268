import type { StreamSpec } from "../../shared/contract/spec.ts";
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
    ["revision", String(spec.revision)],
  ]);
