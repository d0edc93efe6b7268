import { printable } from "../../shared/stream-name.ts";
import type { Exit, Failure } from "../ffmpeg/failure.ts";
import { masked } from "../destination/masked.ts";
import { judged } from "./judged.ts";
import type { Row } from "./row.ts";
import { FAILURES } from "./table.ts";

/** A broadcast that got no further was turned away rather than interrupted. */
const AT_ONCE_MS = 3_000;

const ANSWER = /server error:/i;

/** The stream's name, its receiver, and what of its destination nobody may see. */
type About = {
  readonly name: string;
  readonly host: string;
  readonly secrets?: readonly string[];
};

/**
 * Why FFmpeg ended although nobody asked it to, from its exit and the last lines of its log. `sentMs` is
 * how much of the broadcast there was, null where that is not known.
 */
export const classify = (
  exit: Exit,
  logTail: string,
  { name, host, secrets = [] }: About,
  sentMs: number | null,
): Failure => {
  const last = judged(logTail);
  const row = rowFor(exit, last, sentMs);
  const words: Readonly<Record<string, () => string>> = {
    NAME: () => name,
    HOST: () => host,
    SIGNAL: () => exit.signal ?? "",
    STATUS: () => String(exit.code ?? exit.signal),
    LINE: () => ownWords(last, row, secrets),
  };
  const message = `${row.happened}. ${row.advice}`.replaceAll(
    /\b(?:NAME|HOST|SIGNAL|STATUS|LINE)\b/g,
    (word) => words[word]?.() ?? word,
  );
  // What a receiver answers stands in the log as it is, line breaks and all: it could say anything in
  // FFmpeg's name, and must not be able to end a stream for good.
  const permanent = row.permanent && !ANSWER.test(logTail);
  return { reason: row.reason, permanent, message };
};

/** The first row that fits; but what was lost later than the input was found damaged is the cause. */
export const rowFor = (exit: Exit, last: string, sentMs: number | null): Row => {
  const atOnce = sentMs !== null && sentMs < AT_ONCE_MS;
  const fitting = FAILURES.filter(
    (row) =>
      row.exit?.(exit) !== false &&
      row.said?.test(last) !== false &&
      (row.atOnce === undefined || atOnce),
  );
  const [first] = fitting;
  if (first === undefined) throw new Error("the failure table has no last row");
  if (first.id !== "not-media") return first;
  const lines = last.split("\n");
  const latest = (row: Row): number => lines.findLastIndex((line) => row.said?.test(line));
  const lost = fitting.find(({ id }) => id === "closed-at-once" || id === "lost");
  return lost !== undefined && latest(lost) > latest(first) ? lost : first;
};

/** What an encoder or its device said itself, before FFmpeg's general remarks; without its address. */
const ownWords = (last: string, { said }: Row, secrets: readonly string[]): string => {
  const lines = last.split("\n");
  const own = lines.find((line) =>
    /^\[(?:h264_|libx264|AVHWDevice|hwupload|aac)[^\]]*\]/.test(line),
  );
  const line = own ?? lines.find((one) => said?.test(one)) ?? "";
  // Masked first: what is cut or cleaned is no longer the secret, and still most of it.
  return printable(masked(line.replace(/^\[[^\]]*\] /, ""), secrets));
};
