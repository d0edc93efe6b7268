import { messageOf } from "../log/message-of.ts";
import { readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { StreamBroError } from "../../shared/errors.ts";
import { isStreamName, printable } from "../../shared/stream-name.ts";
import { removeDurably, writeAtomically } from "./atomic-file.ts";

/** A file that did not parse and was set aside under another name. */
export type SetAside = { readonly file: string; readonly movedTo: string; readonly why: string };

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

  /** Everything there is; a file that does not parse is set aside, never deleted. */
  readAll(now: () => number): { records: Map<string, z.output<S>>; setAside: SetAside[] } {
    const records = new Map<string, z.output<S>>();
    const setAside: SetAside[] = [];
    for (const entry of readdirSync(this.#directory)) {
      const file = path.join(this.#directory, entry);
      // Left by a crash in the middle of a write; the file itself is whole.
      if (entry.endsWith(".tmp")) rmSync(file, { force: true, recursive: true });
      const name = entry.endsWith(".json") ? entry.slice(0, -".json".length) : "";
      if (!isStreamName(name)) continue;
      const parsed = this.#read(file, name);
      if (parsed.ok) records.set(name, parsed.value);
      else setAside.push(this.#setAside(file, parsed.why, now()));
    }
    return { records, setAside };
  }

  /** Errors: STORAGE_FAILED, with what was there still there. */
  write(name: string, value: z.output<S>): Promise<void> {
    return this.#inTurn(name, () =>
      writeAtomically(this.#file(name), `${JSON.stringify(value, null, 2)}\n`, this.#mode),
    );
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const file = this.#file(name);
      for (const entry of readdirSync(this.#directory)) {
        if (!entry.startsWith(`${name}.json.`) || !entry.endsWith(".tmp")) continue;
        rmSync(path.join(this.#directory, entry), { force: true });
      }
      await removeDurably(file);
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

  #read(file: string, name: string): { ok: true; value: z.output<S> } | { ok: false; why: string } {
    try {
      const parsed = this.#schema.safeParse(JSON.parse(readFileSync(file, "utf8")));
      if (!parsed.success)
        return { ok: false, why: z.prettifyError(parsed.error).replaceAll("\n", " ") };
      const belongsTo = this.#nameIn(parsed.data);
      if (belongsTo === null || belongsTo === name) return { ok: true, value: parsed.data };
      return { ok: false, why: `it is of another stream, ${printable(belongsTo)}` };
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
  }

  #setAside(file: string, why: string, now: number): SetAside {
    const movedTo = `${file}.unreadable-${now}`;
    try {
      renameSync(file, movedTo);
      return { file, movedTo, why };
    } catch {
      return { file, movedTo: file, why };
    }
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
