import path from "node:path";
import { printable } from "../../shared/stream-name.ts";
import { takeFileLock } from "./file-lock.ts";

export type StateLock =
  | { readonly ok: true; readonly release: () => void }
  /** A sentence that names what is in the way and what to do. */
  | { readonly ok: false; readonly message: string };

/** Takes the lock that one daemon holds on one state directory for as long as it lives. */
export const takeStateLock = (file: string, pid: number): StateLock => {
  const taken = takeFileLock(file);
  switch (taken.is) {
    case "taken":
      try {
        taken.lock.write(`${pid}\n`);
      } catch {
        // The disk is full or read-only: this daemon is needed all the more, and has the lock.
      }
      return { ok: true, release: () => taken.lock.release() };
    case "held":
      return { ok: false, message: whoHas(path.dirname(file), taken.says) };
    case "failed":
      return { ok: false, message: `Cannot lock ${file}: ${taken.why}.` };
  }
};

const whoHas = (directory: string, says: string): string => {
  const known = /^\d+$/.test(says);
  const unknown = says === "" ? "its pid is not on record" : `of pid "${printable(says)}"`;
  const holder = known ? `pid ${says}` : unknown;
  const otherwise = known ? `, or where that does not reach it: kill ${says}` : "";
  return `Another streambrod (${holder}) has the state directory ${directory}. Stop it first: streambro daemon stop${otherwise}`;
};
