import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { Memo } from "../../daemon/encoders/memo.ts";
import { LimitsRecord } from "../../daemon/limits/limits-file.ts";
import { MetricsRecord } from "../../daemon/metrics/schema.ts";
import { MemoryRecord, RunRecord, SecretRecord, SpecRecord } from "../../daemon/store/schemas.ts";

/** JSON files that a daemon reads again, by their place below the state and the runtime directory. */
export const RECORDS: Readonly<
  Record<string, { readonly at: RegExp; readonly schema: z.ZodType }>
> = {
  spec: { at: /^state\/streams\/[^/]+\.json$/, schema: SpecRecord },
  keys: { at: /^state\/keys\/[^/]+@\d+\.json$/, schema: SecretRecord },
  memory: { at: /^state\/memory\/[^/]+\.json$/, schema: MemoryRecord },
  limits: { at: /^state\/limits\.json$/, schema: LimitsRecord },
  metrics: { at: /^state\/metrics\.json$/, schema: MetricsRecord },
  encoders: { at: /^state\/encoders\.json$/, schema: Memo },
  run: { at: /^run\/runs\/[^/]+\/run\.json$/, schema: RunRecord },
};

/** What else is read again: so plain that it has no version. A new fact goes into a new file. */
export const LINES: Readonly<Record<string, { readonly at: RegExp; readonly is: RegExp }>> = {
  pids: { at: /^run\/runs\/[^/]+\/pids$/, is: /^\d+ \d+ \d+ \d+\n$/ },
  exit: { at: /^run\/runs\/[^/]+\/exit$/, is: /^(\d{3}|\d\d |\d {2})\n$/ },
  claim: { at: /^run\/runs\/\.state$/, is: /^\/.*\n$/ },
  holder: { at: /^state\/daemon\.lock$/, is: /^\d+\n$/ },
  salt: { at: /^state\/salt$/, is: /^[^]{32}$/ },
  lock: { at: /^state\/locks\/[^/]+$/, is: /^$/ },
};

/** FFmpeg's, or made anew from the files above and read by FFmpeg alone. */
export const OTHERS: readonly RegExp[] = [
  /^state\/logs\/[^/]+\.log(\.1)?$/,
  /^run\/runs\/[^/]+\/(alive|progress|item-0(\.[a-z0-9]+)?|output-0\.ffpreset)$/,
  // A database says itself which version it is of.
  /^state\/history\.db(-wal|-shm|-journal)?$/,
  /^run\/runs\/[^/]+\/(outer|middle|cycle)\.ffconcat$/,
];

/** A file's place below a daemon's directory, and its bytes as latin1. */
export type Found = { readonly at: string; readonly text: string };

/** Every file that a daemon has made below its state and its runtime directory, but for what is half written. */
export const filesOf = (dir: string): Found[] =>
  ["state", "run"].flatMap((top) =>
    readdirSync(path.join(dir, top), { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const at = path.relative(dir, file);
      if (entry.isDirectory() || /\.(tmp|new)$/.test(at)) return [];
      if (!entry.isFile()) return [{ at, text: "" }];
      try {
        return [{ at, text: readFileSync(file, "latin1") }];
      } catch {
        // It has gone since: a run has ended.
        return [];
      }
    }),
  );
