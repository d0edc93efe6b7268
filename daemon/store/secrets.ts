import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { removeDurably, syncDirectorySync, writeAtomically } from "./atomic-file.ts";
import { isThere, readRecord } from "./record-file.ts";
import { type Unread, storageFailure } from "./records.ts";
import { SecretRecord } from "./schemas.ts";

export type OutputSecrets = readonly Readonly<Record<string, string>>[];

/** `bad`: damaged, or gone. */
export type KeysTrouble = Unread & { readonly is: "bad" | "unread" | "newer" };

/**
 * Keys, in files of mode 0600 in a directory of mode 0700, one a revision: a new key lies beside the
 * old one until the specification that names it is durable, so that no crash can part the two.
 */
export class SecretStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Errors: STORAGE_FAILED. */
  async write(name: string, revision: number, outputs: OutputSecrets): Promise<void> {
    const record: SecretRecord = { version: 1, outputs: outputs.map((one) => ({ ...one })) };
    try {
      await writeAtomically(this.#file(name, revision), `${JSON.stringify(record)}\n`, 0o600);
    } catch (error) {
      throw storageFailure(this.#directory, error);
    }
  }

  /** Null where the file is missing, does not parse, or is a newer release's. */
  read(name: string, revision: number): OutputSecrets | null {
    const found = readRecord(this.#file(name, revision), SecretRecord);
    return found.is === "good" ? found.value.outputs : null;
  }

  /** What is wrong with a file that should be there; null where nothing is. */
  trouble(name: string, revision: number): KeysTrouble | null {
    const file = this.#file(name, revision);
    const found = readRecord(file, SecretRecord);
    if (found.is === "good") return null;
    // One that is not there is not there later either.
    const isGone = found.is === "unread" && !isThere(file);
    return { name, file, why: found.why, is: isGone ? "bad" : found.is };
  }

  /** Removes a stream's keys but for one revision, or all of them. */
  async prune(name: string, keep: number | null): Promise<void> {
    const kept = keep === null ? null : path.basename(this.#file(name, keep));
    for (const entry of readdirSync(this.#directory)) {
      if (!entry.startsWith(`${name}@`) || entry === kept) continue;
      await removeDurably(path.join(this.#directory, entry));
    }
  }

  /** Drops what a kill between a new key and the removal of the old one left; `used`: revisions by name. */
  dropUnused(used: ReadonlyMap<string, number | null>): void {
    try {
      const unused = readdirSync(this.#directory).filter((entry) => {
        const [, name = "", revision] = /^(.+)@(\d+)\.json$/.exec(entry) ?? [];
        return used.has(name) && used.get(name) !== Number(revision);
      });
      for (const entry of unused) rmSync(path.join(this.#directory, entry));
      if (unused.length > 0) syncDirectorySync(this.#directory);
    } catch {
      // They are in nobody's way, and their turn comes again at the next start.
    }
  }

  #file(name: string, revision: number): string {
    return path.join(this.#directory, `${name}@${revision}.json`);
  }
}
