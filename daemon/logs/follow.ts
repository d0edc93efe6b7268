import { type FSWatcher, watch } from "node:fs";
import { readBytes, sizeOf } from "./log-file.ts";

/** Most of a log that one answer carries. */
const MOST_BYTES = 262_144;

export type LogPiece = { readonly lines: string[]; readonly cursor: string };

/** The last lines of a log, the file before the current one included; the cursor leads on from there. */
export const lastLines = (log: string, count: number): LogPiece => {
  const current = readBytes(log, -MOST_BYTES, MOST_BYTES);
  let lines = linesOf(current.bytes);
  if (lines.length < count)
    lines = [...linesOf(readBytes(`${log}.1`, -MOST_BYTES, MOST_BYTES).bytes), ...lines];
  return { lines: count === 0 ? [] : lines.slice(-count), cursor: cursorText(wholeEnd(current)) };
};

/** What was written after a cursor, whole lines only. A log that was emptied meanwhile is read from its start. */
export const linesAfter = (log: string, cursor: string): LogPiece => {
  const from = Number(cursor);
  const start = Number.isSafeInteger(from) && from >= 0 && from <= sizeOf(log) ? from : 0;
  const piece = readBytes(log, start, MOST_BYTES);
  return { lines: linesOf(piece.bytes), cursor: cursorText(wholeEnd(piece)) };
};

/** Resolves when a log changes, after `ms`, or when the caller is gone. */
export const untilWritten = (log: string, ms: number, gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    let watcher: FSWatcher | null = null;
    const done = (): void => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, ms);
    gone.addEventListener("abort", done);
    try {
      watcher = watch(log, done);
      watcher.on("error", done);
    } catch {
      // No log yet: the stream has never been started. The caller asks again.
    }
  });

/** Whole lines; an unfinished one too when it fills all there is room for. */
const linesOf = (bytes: Buffer): string[] => {
  const end = bytes.lastIndexOf(10);
  const whole =
    end < 0 ? (bytes.length >= MOST_BYTES ? bytes : bytes.subarray(0, 0)) : bytes.subarray(0, end);
  return whole.length === 0 ? [] : whole.toString("utf8").split("\n");
};

const wholeEnd = ({ bytes, end }: { bytes: Buffer; end: number }): number => {
  const last = bytes.lastIndexOf(10);
  return last < 0
    ? bytes.length >= MOST_BYTES
      ? end
      : end - bytes.length
    : end - (bytes.length - last - 1);
};

const cursorText = (offset: number): string => String(offset);
