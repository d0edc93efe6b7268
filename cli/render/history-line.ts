import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { printable } from "../../shared/stream-name.ts";
import { streamNote } from "./note.ts";
import { stamp } from "./time.ts";

/** How wide the columns are that have others behind them; they only grow. */
export type Widths = { name: number; what: number };

/** Most that a column is widened for. */
const MOST_WIDE = 24;

/** No stream can be called that. */
const DAEMON = "(daemon)";

/** One line for one thing that happened: when, whose, what, and why. */
export const historyLine = (entry: HistoryEntry, widths: Widths): string =>
  line(entry.at, entry.stream ?? DAEMON, whatOf(entry), sentenceOf(entry), widths);

/** The same for how a stream is now. */
export const statusLine = (stream: StreamStatus, widths: Widths, now: number): string => {
  const note = streamNote(stream, now);
  return line(stream.since, stream.name, stream.state, note === "-" ? "" : note, widths);
};

/** Makes room for what is to be printed. */
export const widen = (widths: Widths, entries: readonly HistoryEntry[]): void => {
  for (const entry of entries) grow(widths, entry.stream ?? DAEMON, whatOf(entry));
};

const line = (at: string, name: string, what: string, sentence: string, widths: Widths): string => {
  grow(widths, name, what);
  const columns = [stamp(at), name.padEnd(widths.name), what.padEnd(widths.what), sentence];
  return columns.join("  ").trimEnd();
};

const grow = (widths: Widths, name: string, what: string): void => {
  widths.name = Math.max(widths.name, Math.min(MOST_WIDE, name.length));
  widths.what = Math.max(widths.what, Math.min(MOST_WIDE, what.length));
};

const WORDS: Readonly<Partial<Record<string, string>>> = {
  "daemon-started": "started",
  "daemon-stopped": "stopped",
  "daemon-lost": "lost",
  "history-lost": "history",
};

const whatOf = ({ kind, from, to, stream }: HistoryEntry): string => {
  const what = from !== null && to !== null ? `${from} -> ${to}` : null;
  if (kind === "adopted") return `adopted ${to ?? ""}`.trimEnd();
  // A daemon of a later release may tell of what this one has no word for.
  return printable(what ?? (stream === null ? (WORDS[kind] ?? kind) : kind), 60);
};

const sentenceOf = (entry: HistoryEntry): string => {
  const { message, by, skipped, from, to, kind, details } = entry;
  const { lastSeen } = details;
  const seen = typeof lastSeen === "string" ? `, last seen alive ${stamp(lastSeen)}` : "";
  // Under `health` the states are of something else than the stream.
  const health = kind === "health" && from !== null && to !== null ? "health: " : "";
  const who = by === null ? "" : `, by ${by.user ?? `uid ${by.uid}`}`;
  const left = skipped === 0 ? "" : ` (${skipped} changes before this one were too many to keep)`;
  return printable(`${health}${message}${seen}${who}${left}`, 1_500);
};
