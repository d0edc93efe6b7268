import { messageOf } from "../log/message-of.ts";
import { readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { z } from "zod";
import { StreamBroError } from "../../shared/errors.ts";
import { isStreamName, printable } from "../../shared/stream-name.ts";
import { removeDurably, writeAtomically } from "./atomic-file.ts";
import { keepUnknown } from "./keep-unknown.ts";
import { type Found, moveAside, parseRecord, readRecord } from "./record-file.ts";

/** A file that did not parse and was set aside under another name. */
export type SetAside = { readonly file: string; readonly movedTo: string; readonly why: string };

/** A file that may well be good and cannot be read just now; it stays where it is. */
export type Unread = { readonly name: string; readonly file: string; readonly why: string };

/** A file that only a newer release understands, and what it says; it stays where it is. */
export type Newer = Unread & { readonly raw: unknown };

export type Everything<T> = {
  readonly records: Map<string, T>;
  readonly setAside: readonly SetAside[];
  readonly unread: readonly Unread[];
  readonly newer: readonly Newer[];
};

/** What a kind of file has beside its directory, its schema and its mode. */
type Kind<T> = {
  /** Which stream a record is of, where it says so itself. */
  readonly nameIn?: (value: T) => string;
  /** Whether a write keeps what a newer release has put there and this one does not know. */
  readonly keepsUnknown?: boolean;
  /** From the value to what is written, and back from that before it is parsed. */
  readonly words?: {
    readonly write: (value: unknown) => unknown;
    readonly read: (raw: unknown) => unknown;
  };
};

/**
 * One JSON file a stream in one directory. What is read was parsed against `schema`, unknown fields
 * left out; writes of one name never overtake each other, and never replace what was not understood.
 */
export class Records<S extends z.ZodType> {
  readonly #directory: string;
  readonly #schema: S;
  readonly #mode: number;
  readonly #kind: Kind<z.output<S>>;
  readonly #queue = new Map<string, Promise<void>>();
  /** Names whose file may well be good, and why it was not read: it is not written over. */
  readonly #leftAlone = new Map<string, string>();

  constructor(directory: string, schema: S, mode: number, kind: Kind<z.output<S>> = {}) {
    this.#kind = kind;
    this.#directory = directory;
    this.#schema = schema;
    this.#mode = mode;
  }

  /**
   * Everything there is. What can never be read, as it does not parse, is another stream's or is no file,
   * is set aside; what the system fails to read just now, and what only a newer release can read, is left
   * in place. Nothing is deleted.
   */
  readAll(now: () => number): Everything<z.output<S>> {
    const records = new Map<string, z.output<S>>();
    const setAside: SetAside[] = [];
    const unread: Unread[] = [];
    const newer: Newer[] = [];
    this.#leftAlone.clear();
    for (const entry of readdirSync(this.#directory)) {
      const file = path.join(this.#directory, entry);
      if (entry.endsWith(".tmp")) removeHalfWritten(file);
      const name = entry.endsWith(".json") ? entry.slice(0, -".json".length) : "";
      if (!isStreamName(name)) continue;
      const found = this.#read(file, name);
      if (found.is === "good") records.set(name, found.value);
      else if (found.is === "newer") newer.push({ name, file, why: found.why, raw: found.raw });
      else if (found.is === "unread") unread.push({ name, file, why: found.why });
      else {
        const movedTo = moveAside(file, now());
        if (movedTo === null) unread.push({ name, file, why: found.why });
        else setAside.push({ file, movedTo, why: found.why });
      }
    }
    for (const { name, why } of [...unread, ...newer]) this.#leftAlone.set(name, why);
    return { records, setAside, unread, newer };
  }

  /** Errors: STORAGE_FAILED, with what was there still there. */
  write(name: string, value: z.output<S>): Promise<void> {
    return this.#inTurn(name, async () => {
      const file = this.#file(name);
      const why = this.#leftAlone.get(name);
      if (why !== undefined) throw new Error(`${file} is there and was not read: ${why}`);
      const known = this.#kind.words?.write(value) ?? value;
      const whole = this.#kind.keepsUnknown === true ? await this.#withUnknown(file, known) : known;
      await writeAtomically(file, `${JSON.stringify(whole, null, 2)}\n`, this.#mode);
    });
  }

  async #withUnknown(file: string, value: unknown): Promise<unknown> {
    const before = await readFile(file, "utf8").catch(() => null);
    const found = before === null ? null : parseRecord(before, this.#schema);
    return found?.is === "good" ? keepUnknown(found.raw, found.value, value) : value;
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const file = this.#file(name);
      for (const entry of readdirSync(this.#directory)) {
        if (!entry.startsWith(`${name}.json.`) || !entry.endsWith(".tmp")) continue;
        rmSync(path.join(this.#directory, entry), { force: true });
      }
      await removeDurably(file);
      this.#leftAlone.delete(name);
    });
  }

  async #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#queue.get(name) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => {});
    this.#queue.set(name, settled);
    try {
      await turn;
    } catch (error) {
      throw storageFailure(this.#directory, error);
    } finally {
      if (this.#queue.get(name) === settled) this.#queue.delete(name);
    }
  }

  #read(file: string, name: string): Found<z.output<S>> {
    const found = readRecord(file, this.#schema, this.#kind.words?.read);
    const belongsTo = found.is === "good" ? this.#kind.nameIn?.(found.value) : undefined;
    if (belongsTo === undefined || belongsTo === name) return found;
    return { is: "bad", why: `it is of another stream, ${printable(belongsTo)}` };
  }

  #file(name: string): string {
    return path.join(this.#directory, `${name}.json`);
  }
}

/** Left by a crash in the middle of a write; the file itself is whole. */
const removeHalfWritten = (file: string): void => {
  try {
    rmSync(file, { force: true, recursive: true });
  } catch {
    // It is in nobody's way.
  }
};

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full. Free some room, then try again",
  EDQUOT: "the disk quota is used up. Free some room, then try again",
  EROFS: "it is read-only. Mount it writable, then try again",
  EACCES: "the daemon's user may not write there. Mend its owner or mode, then try again",
  EMFILE:
    "the daemon has run out of file descriptors. Raise its limit (LimitNOFILE), then try again",
};

/** The sentence for a write that failed. */
export const storageFailure = (directory: string, error: unknown): StreamBroError => {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const why = WHY[code] ?? messageOf(error);
  return new StreamBroError(
    "STORAGE_FAILED",
    `Nothing was changed: cannot save in ${directory}: ${why}.`,
  );
};
