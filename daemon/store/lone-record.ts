import path from "node:path";
import type { z } from "zod";
import { clearHalfWritten } from "./atomic-file.ts";
import { isThere, moveAside, readRecord } from "./record-file.ts";

/** A record in a file of its own, as the start of a daemon finds it. */
export type LoneRecord<T> =
  | { readonly is: "good"; readonly value: T }
  | { readonly is: "none" }
  /** It can never be read; `movedTo` is its new name. */
  | { readonly is: "aside"; readonly movedTo: string; readonly why: string }
  /** It may well be good, or a newer release's: it stays where it is, and must not be written over. */
  | { readonly is: "unread" | "newer"; readonly why: string };

/**
 * What can never be read is set aside; what the system fails to read just now is left in place, and so
 * is what only a newer release can read.
 */
export const readLoneRecord = <S extends z.ZodType>(
  file: string,
  schema: S,
  now: number,
): LoneRecord<z.output<S>> => {
  clearHalfWritten(path.dirname(file), `${path.basename(file)}.`);
  if (!isThere(file)) return { is: "none" };
  const found = readRecord(file, schema);
  if (found.is === "good" || found.is === "newer") return found;
  const movedTo = found.is === "bad" ? moveAside(file, now) : null;
  if (movedTo === null) return { is: "unread", why: found.why };
  return { is: "aside", movedTo: path.basename(movedTo), why: found.why };
};
