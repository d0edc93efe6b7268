import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { removeDurably, writeAtomically } from "./atomic-file.ts";
import { storageFailure } from "./records.ts";
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

  /** Null where the file is missing or does not parse. */
  read(name: string, revision: number): OutputSecrets | null {
    try {
      const parsed = SecretRecord.safeParse(
        JSON.parse(readFileSync(this.#file(name, revision), "utf8")),
      );
      return parsed.success ? parsed.data.outputs : null;
    } catch {
      return null;
    }
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
