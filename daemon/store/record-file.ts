import { lstatSync, readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { messageOf } from "../log/message-of.ts";
import { renameDurablySync } from "./atomic-file.ts";

/** `bad`: it can never be read, as it does not parse or is no file; `unread`: it cannot just now. */
export type Found<T> =
  | { readonly is: "good"; readonly value: T }
  | { readonly is: "bad" | "unread"; readonly why: string };

/** Reads a JSON file and parses it against `schema`. */
export const readRecord = <S extends z.ZodType>(file: string, schema: S): Found<z.output<S>> => {
  let text: string;
  try {
    // Not opened before that is known: opening a pipe may block for ever.
    if (!statSync(file).isFile()) return { is: "bad", why: "it is not a file" };
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { is: leadsNowhere(file, error) ? "bad" : "unread", why: messageOf(error) };
  }
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return { is: "good", value: parsed.data };
    return { is: "bad", why: z.prettifyError(parsed.error).replaceAll("\n", " ") };
  } catch (error) {
    return { is: "bad", why: messageOf(error) };
  }
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
