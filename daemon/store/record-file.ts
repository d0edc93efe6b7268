import { lstatSync, readFileSync, statSync } from "node:fs";
import type { z } from "zod";
import { messageOf } from "../log/message-of.ts";
import { printable } from "../../shared/stream-name.ts";
import { renameDurablySync } from "./atomic-file.ts";
import { understand } from "./understand.ts";

/**
 * `bad`: it can never be read, as it does not parse or is no file; `unread`: it cannot just now; `newer`:
 * a newer release can. `raw` is what it says, unknown fields and all.
 */
export type Found<T> =
  | { readonly is: "good"; readonly value: T; readonly raw: unknown }
  | { readonly is: "newer"; readonly why: string; readonly raw: unknown }
  | { readonly is: "bad" | "unread"; readonly why: string };

/** Reads a JSON file and parses it against `schema`; `before` prepares what it says for that. */
export const readRecord = <S extends z.ZodType>(
  file: string,
  schema: S,
  before?: (raw: unknown) => unknown,
): Found<z.output<S>> => {
  let text: string;
  try {
    // Not opened before that is known: opening a pipe may block for ever.
    if (!statSync(file).isFile()) return { is: "bad", why: "it is not a file" };
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { is: leadsNowhere(file, error) ? "bad" : "unread", why: messageOf(error) };
  }
  return parseRecord(text, schema, before);
};

/** The same of a file's text. */
export const parseRecord = <S extends z.ZodType>(
  text: string,
  schema: S,
  before: (raw: unknown) => unknown = (raw) => raw,
): Found<z.output<S>> => {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    return { is: "bad", why: notJson(error) };
  }
  try {
    const understood = understand(before(raw), schema);
    return understood.is === "bad" ? understood : { ...understood, raw };
  } catch (error) {
    return { is: "bad", why: printable(messageOf(error)) };
  }
};

/** Where, and not what is there, which the system's own words quote: it may be a key. */
const notJson = (error: unknown): string => {
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(messageOf(error));
  return `it is not JSON${place === null ? "" : `, ${place[0]}`}`;
};

/** Its new name; null where it has to stay. */
export const moveAside = (file: string, now: number): string | null => {
  const movedTo = `${file}.unreadable-${now}`;
  try {
    renameDurablySync(file, movedTo);
    return movedTo;
  } catch {
    return null;
  }
};

/** A link to nothing, or to itself: no disk that comes back makes a file of it. */
const leadsNowhere = (file: string, error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ELOOP") return false;
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
};

/** Also where it cannot be told. */
export const isThere = (file: string): boolean => {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
};
