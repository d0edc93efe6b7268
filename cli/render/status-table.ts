import type { StreamStatus } from "../../shared/contract/status.ts";
import type { Health, StreamState } from "../../shared/states.ts";
import { printable } from "../../shared/stream-name.ts";
import { streamNote } from "./note.ts";
import { bitrate, bytes, frameRate, percent, speed } from "./rates.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";
import { clock, terse } from "./time.ts";

export type View = {
  /** Unix milliseconds. */
  readonly now: number;
  /** Width of the terminal; null where there is none, and nothing is cut. */
  readonly room: number | null;
  readonly colour: boolean;
};

const GREEN = 32;
const YELLOW = 33;
const RED = 31;

const COLOURS: Readonly<Partial<Record<StreamState, number>>> = {
  live: GREEN,
  waiting: YELLOW,
  starting: YELLOW,
  backoff: YELLOW,
  stopping: YELLOW,
  failed: RED,
  foreign: RED,
};

const HEALTH_COLOURS: Readonly<Partial<Record<Health, number>>> = {
  delivering: GREEN,
  congested: YELLOW,
  stalled: RED,
};

const paintedHealth = ({ health }: StreamStatus, text: string): string => {
  const colour = HEALTH_COLOURS[health];
  return colour === undefined ? text : `\u001B[${colour}m${text}\u001B[39m`;
};

const painted = ({ state }: StreamStatus, text: string): string => {
  const colour = COLOURS[state];
  return colour === undefined ? text : `\u001B[${colour}m${text}\u001B[39m`;
};

/** What all outputs take together; null where none is measured. */
const totalKbps = ({ outputs }: StreamStatus): number | null => {
  const known = outputs.flatMap(({ bitrateKbps }) => (bitrateKbps === null ? [] : [bitrateKbps]));
  return known.length === 0 ? null : known.reduce((sum, kbps) => sum + kbps, 0);
};

const uptime = ({ startedAt }: StreamStatus, now: number): string =>
  startedAt === null ? "-" : terse(now - Date.parse(startedAt));

/** Its share of what several use together, where the kernel tells; else all of it. */
const memoryOf = (usage: StreamStatus["usage"]): number | null =>
  usage?.pssBytes ?? usage?.memoryBytes ?? null;

const columns = ({ now, colour }: View): ReadonlyArray<Column<StreamStatus>> => [
  { title: "NAME", text: ({ name }) => name },
  { title: "STATE", text: ({ state }) => state, ...(colour ? { paint: painted } : {}) },
  {
    title: "HEALTH",
    text: ({ health }) => (health === "unknown" ? "-" : health),
    ...(colour ? { paint: paintedHealth } : {}),
  },
  { title: "SINCE", text: ({ since }) => clock(since, now), expendable: 7 },
  { title: "UP", text: (stream) => uptime(stream, now), expendable: 1 },
  { title: "BITRATE", text: (stream) => bitrate(totalKbps(stream)), expendable: 2 },
  { title: "FPS", text: ({ progress }) => frameRate(progress?.fps ?? null), expendable: 6 },
  { title: "SPEED", text: ({ progress }) => speed(progress?.speed ?? null), expendable: 4 },
  { title: "CPU", text: ({ usage }) => percent(usage?.cpuPercent ?? null), expendable: 5 },
  { title: "MEM", text: ({ usage }) => bytes(memoryOf(usage)), expendable: 5 },
  { title: "RESTARTS", text: ({ restarts }) => String(restarts), expendable: 3 },
  { title: "NOTE", text: (stream) => streamNote(stream, now) },
];

const OWNER: Column<StreamStatus> = { title: "OWNER", text: ({ owner }) => printable(owner, 64) };

/** The table of `status`, a line for each stream and one above them; whose they are, where that differs. */
export const statusTable = (streams: readonly StreamStatus[], view: View): string[] => {
  const [name, ...others] = columns(view);
  const several = new Set(streams.map(({ owner }) => owner)).size > 1;
  const all = name === undefined ? others : [name, ...(several ? [OWNER] : []), ...others];
  return table(all, streams, view.room);
};
