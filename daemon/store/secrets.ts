import { readdirSync } from "node:fs";
import path from "node:path";
import { removeDurably, writeAtomically } from "./atomic-file.ts";
import { readRecord } from "./record-file.ts";
import { type Newer, storageFailure } from "./records.ts";
import { SecretRecord } from "./schemas.ts";

export type OutputSecrets = readonly Readonly<Record<string, string>>[];

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

  /** Where the file is one that only a newer release understands. */
  newer(name: string, revision: number): Newer | null {
    const file = this.#file(name, revision);
    const found = readRecord(file, SecretRecord);
    return found.is === "newer" ? { name, file, why: found.why, raw: null } : null;
  }

  /** Removes a stream's keys but for one revision, or all of them. */
  async prune(name: string, keep: number | null): Promise<void> {
    const kept = keep === null ? null : path.basename(this.#file(name, keep));
    for (const entry of readdirSync(this.#directory)) {
      if (!entry.startsWith(`${name}@`) || entry === kept) continue;
      await removeDurably(path.join(this.#directory, entry));
    }
  }

  #file(name: string, revision: number): string {
    return path.join(this.#directory, `${name}@${revision}.json`);
  }
}
