import { messageOf } from "../log/message-of.ts";
import { readdirSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { StreamBroError } from "../../shared/errors.ts";
import { isStreamName, printable } from "../../shared/stream-name.ts";
import { clearHalfWritten, removeDurably, writeAtomically } from "./atomic-file.ts";
import { type Found, moveAside, readRecord } from "./record-file.ts";

/** A file that did not parse and was set aside under another name. */
export type SetAside = { readonly file: string; readonly movedTo: string; readonly why: string };

/** A file that may well be good and cannot be read just now; it stays where it is. */
export type Unread = { readonly name: string; readonly file: string; readonly why: string };

export type Everything<T> = {
  readonly records: Map<string, T>;
  readonly setAside: readonly SetAside[];
  readonly unread: readonly Unread[];
};

/**
 * One JSON file a stream in one directory. What is read was parsed against `schema`, unknown fields
 * left out; writes of one name never overtake each other.
 */
export class Records<S extends z.ZodType> {
  readonly #directory: string;
  readonly #schema: S;
  readonly #mode: number;
  readonly #nameIn: (value: z.output<S>) => string | null;
  readonly #queue = new Map<string, Promise<void>>();

  /** `nameIn` says which stream a record is of, where it says so itself. */
  constructor(
    directory: string,
    schema: S,
    mode: number,
    nameIn: (value: z.output<S>) => string | null = () => null,
  ) {
    this.#nameIn = nameIn;
    this.#directory = directory;
    this.#schema = schema;
    this.#mode = mode;
  }

  /**
   * Everything there is. What can never be read, as it does not parse, is another stream's or is no file,
   * is set aside; what the system fails to read just now is left in place. Nothing is deleted.
   */
  readAll(now: () => number): Everything<z.output<S>> {
    const records = new Map<string, z.output<S>>();
    const setAside: SetAside[] = [];
    const unread: Unread[] = [];
    clearHalfWritten(this.#directory);
    for (const entry of readdirSync(this.#directory)) {
      const file = path.join(this.#directory, entry);
      const name = entry.endsWith(".json") ? entry.slice(0, -".json".length) : "";
      if (!isStreamName(name)) continue;
      const found = this.#read(file, name);
      if (found.is === "good") records.set(name, found.value);
      else if (found.is === "unread") unread.push({ name, file, why: found.why });
      else {
        const movedTo = moveAside(file, now());
        if (movedTo === null) unread.push({ name, file, why: found.why });
        else setAside.push({ file, movedTo, why: found.why });
      }
    }
    return { records, setAside, unread };
  }

  /** Errors: STORAGE_FAILED, with what was there still there. */
  write(name: string, value: z.output<S>): Promise<void> {
    return this.#inTurn(name, () =>
      writeAtomically(this.#file(name), `${JSON.stringify(value, null, 2)}\n`, this.#mode),
    );
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      clearHalfWritten(this.#directory, `${name}.json.`);
      await removeDurably(this.#file(name));
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
    const found = readRecord(file, this.#schema);
    const belongsTo = found.is === "good" ? this.#nameIn(found.value) : null;
    if (belongsTo === null || belongsTo === name) return found;
    return { is: "bad", why: `it is of another stream, ${printable(belongsTo)}` };
  }

  #file(name: string): string {
    return path.join(this.#directory, `${name}.json`);
  }
}

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
