import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const FROZEN = path.resolve(import.meta.dirname, "../fixtures/formats");

/** Every release whose formats were kept. */
export const RELEASES: readonly string[] = readdirSync(FROZEN);

export type JsonSchema = { readonly [key: string]: unknown };

/** What a release reads, by kind of file. */
export const schemaOf = (release: string, kind: string): JsonSchema =>
  JSON.parse(readFileSync(path.join(FROZEN, release, "schemas", `${kind}.json`), "utf8"));

/** What stands for the words in braces that a frozen file has in place of what belongs to a machine. */
export type Words = {
  readonly SERVER?: string;
  readonly BOOT?: string;
  /** The four numbers of a stream's `pids`. */
  readonly pidsOf?: (name: string) => string;
};

const NOBODY = "2147480000 1 2147480001 1";

/** Lays out the directories of a release's daemon below `dir`, as it would have left them here. */
export const thaw = (release: string, dir: string, words: Words = {}): void => {
  const { SERVER = "127.0.0.1:1", pidsOf = () => NOBODY } = words;
  const { BOOT = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() } = words;
  for (const top of ["state", "run"]) {
    const from = path.join(FROZEN, release, top);
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const at = path.join(top, path.relative(from, path.join(entry.parentPath, entry.name)));
      const text = readFileSync(path.join(FROZEN, release, at), "latin1")
        .replaceAll("{{DIR}}", dir)
        .replaceAll("{{BOOT}}", BOOT)
        .replaceAll("{{SERVER}}", SERVER)
        .replaceAll("{{PIDS}}", () => pidsOf(path.basename(path.dirname(at))));
      mkdirSync(path.dirname(path.join(dir, at)), { recursive: true });
      writeFileSync(path.join(dir, at), text, "latin1");
    }
  }
};
