import type { Encoder, Encoders } from "../../shared/contract/daemon.ts";
import { printable } from "../../shared/stream-name.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";

const MOST_REASON = 500;

const columns: ReadonlyArray<Column<Encoder>> = [
  { title: "ENCODER", text: ({ name }) => printable(name) },
  { title: "KIND", text: ({ kind }) => kind, expendable: 1 },
  { title: "WORKS", text: ({ works }) => (works ? "yes" : "no") },
  { title: "REASON", text: ({ reason }) => printable(reason ?? "-", MOST_REASON) },
];

/** The table of `encoders` in the order of preference, and below it which one will be used. */
export const encoderLines = (found: Encoders, room: number | null): string[] => [
  ...table(columns, found.encoders, room),
  "",
  outcome(found),
];

const outcome = ({ encoders, preferred, fallback, ffmpeg }: Encoders): string => {
  const by = ffmpeg === null ? "" : ` (FFmpeg ${printable(ffmpeg)})`;
  const used = encoders.find(({ name }) => name === preferred);
  if (used?.works !== true)
    return `No encoder can be used${by}: install an FFmpeg with ${printable(fallback)}.`;
  const place = used.device === null ? "" : ` on ${printable(used.device)}`;
  const spared = encoders.find(({ kind, works }) => kind === "hardware" && works);
  // Hardware that works and is not used was switched off, and that may have been forgotten.
  const why =
    used.kind === "software" && spared !== undefined
      ? `; the settings keep ${printable(spared.name)} from being used`
      : "";
  return `Streams that are encoded use ${printable(preferred)}${place}${by}${why}.`;
};
