import { watch } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { readBytes, sizeOf } from "./log-file.ts";

/** Most of a log that one answer carries. */
const MOST_BYTES = 131_072;

export type LogPiece = { readonly lines: string[]; readonly cursor: string };

/** The last lines of a log, the file before the current one included; the cursor leads on from there. */
export const lastLines = (log: string, count: number): LogPiece => {
  const current = readBytes(log, -MOST_BYTES, MOST_BYTES);
  let lines = linesOf(fromLine(current));
  if (lines.length < count)
    lines = [...linesOf(fromLine(readBytes(`${log}.1`, -MOST_BYTES, MOST_BYTES))), ...lines];
  return { lines: count === 0 ? [] : lines.slice(-count), cursor: cursorText(wholeEnd(current)) };
};

/** From the first whole line on: half of one could hold half a key, which nobody would know for one. */
const fromLine = ({ bytes, end }: { bytes: Buffer; end: number }): Buffer =>
  end > bytes.length ? bytes.subarray(bytes.indexOf(10) + 1) : bytes;

/** What was written after a cursor, whole lines only. A log that was emptied meanwhile is read from its start. */
export const linesAfter = (log: string, cursor: string): LogPiece => {
  const from = Number(cursor);
  const start = Number.isSafeInteger(from) && from >= 0 && from <= sizeOf(log) ? from : 0;
  const piece = readBytes(log, start, MOST_BYTES);
  return { lines: linesOf(piece.bytes), cursor: cursorText(wholeEnd(piece)) };
};

/** Resolves when a log changes, after `ms`, or when the caller is gone. */
export const untilWritten = async (log: string, ms: number, gone: AbortSignal): Promise<void> => {
  const over = AbortSignal.any([gone, AbortSignal.timeout(ms)]);
  try {
    for await (const _ of watch(log, { signal: over })) return;
  } catch {
    // The time is out, the caller gone, or there is no log yet: the caller asks again.
    if (!over.aborted)
      await delay(Math.min(ms, 1_000), undefined, { signal: gone }).catch(() => {});
  }
};

/** Whole lines; an unfinished one too when it fills all there is room for. */
const linesOf = (bytes: Buffer): string[] => {
  const end = bytes.lastIndexOf(10);
  const whole =
    end < 0 ? (bytes.length >= MOST_BYTES ? bytes : bytes.subarray(0, 0)) : bytes.subarray(0, end);
  return whole.length === 0 ? [] : withoutControls(whole.toString("utf8")).split("\n");
};

/** FFmpeg prints what an input's metadata holds: nothing of it may steer the reader's terminal. */
const withoutControls = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");

const wholeEnd = ({ bytes, end }: { bytes: Buffer; end: number }): number => {
  const last = bytes.lastIndexOf(10);
  return last < 0
    ? bytes.length >= MOST_BYTES
      ? end
      : end - bytes.length
    : end - (bytes.length - last - 1);
};

const cursorText = (offset: number): string => String(offset);
