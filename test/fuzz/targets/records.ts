import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { z } from "zod";
import { Memo } from "../../../daemon/encoders/memo.ts";
import { entryOf } from "../../../daemon/history/happening.ts";
import { openArchive } from "../../../daemon/history/open-archive.ts";
import { LimitsRecord } from "../../../daemon/limits/limits-file.ts";
import { Counters } from "../../../daemon/metrics/counters.ts";
import { Registry } from "../../../daemon/metrics/prometheus.ts";
import { MetricsRecord } from "../../../daemon/metrics/schema.ts";
import { keepUnknown } from "../../../daemon/store/keep-unknown.ts";
import { withExactWords, withFirstWords } from "../../../daemon/store/later-words.ts";
import { parseRecord } from "../../../daemon/store/record-file.ts";
import {
  MemoryRecord,
  RunRecord,
  SecretRecord,
  SpecRecord,
} from "../../../daemon/store/schemas.ts";
import type { Target } from "../engine.ts";
import { Broken, SECRET, hold, isClean, isFinite, isKept, isShort } from "../properties.ts";

const fixtures = path.resolve(import.meta.dirname, "../../fixtures/formats/0.1");
const sampled = (folder: string, ending = ".json"): string[] =>
  readdirSync(path.join(fixtures, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(path.join(fixtures, folder, name), "utf8"));

const record = (name: string, schema: z.ZodType, samples: readonly string[]): Target => ({
  name,
  samples,
  mostBytes: 65_536,
  check: (bytes) => {
    const found = parseRecord(bytes.toString("utf8"), schema, withExactWords);
    if (found.is === "good") {
      isFinite(found.value, name);
      const again = JSON.stringify(
        withFirstWords(keepUnknown(found.raw, found.value, found.value)),
      );
      hold(parseRecord(again, schema, withExactWords).is === "good", "it can be read again");
      return;
    }
    isClean(found.why, "what is wrong");
    isShort(found.why, 2_000, "what is wrong");
    isKept(found.why, "what is wrong");
  },
  work: (bytes) => parseRecord(bytes.toString("utf8"), schema, withExactWords),
});

const secret = JSON.stringify({
  version: 1,
  outputs: [{ rtmp_playpath: SECRET, rtmp_app: `live?token=${SECRET}` }],
});

const metrics: Target = {
  name: "counters",
  samples: sampled("state", "metrics.json"),
  mostBytes: 65_536,
  cost: 4,
  check: async (bytes) => {
    const found = parseRecord(bytes.toString("utf8"), MetricsRecord);
    if (found.is !== "good") return;
    const counters = new Counters(new Registry());
    counters.restore(found.value.counters);
    hold(
      MetricsRecord.safeParse({ version: 1, counters: await counters.rows() }).success,
      "it can be saved again",
    );
  },
};

const home = (): string => mkdtempSync(path.join(os.tmpdir(), "streambro-fuzz-"));

/** A real file of history, its journal folded in; `spoil` does something to its rows. */
const archive = (spoil = ""): Buffer => {
  const folder = home();
  try {
    const file = path.join(folder, "history.db");
    const opened = openArchive(file);
    if (opened.is !== "open") throw new Error(`no archive: ${opened.is}`);
    const happened = {
      stream: "radio",
      kind: "state",
      message: "on the air",
      details: { a: 1 },
    } as const;
    opened.archive.write([1, 2, 3].map((id) => entryOf(happened, id, 1_795_440_555_771 + id)));
    opened.archive.copyTo(`${file}.copy`);
    opened.archive.close();
    const database = new DatabaseSync(`${file}.copy`);
    database.exec(spoil);
    database.close();
    return readFileSync(`${file}.copy`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const isOfSqlite = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === "ERR_SQLITE_ERROR";

const history: Target = {
  name: "history",
  samples: [
    archive(),
    archive("UPDATE entries SET at = 9000000000000000, details = '5' WHERE id = 2"),
    archive("UPDATE entries SET at = -9000000000000000, details = '[]', kind = '' WHERE id = 1"),
  ],
  mostBytes: 200_000,
  cost: 40,
  check: (bytes) => {
    const folder = home();
    try {
      const file = path.join(folder, "history.db");
      writeFileSync(file, bytes);
      const opened = openArchive(file);
      if (opened.is === "corrupt") isShort(opened.why, 500, "what is wrong");
      if (opened.is !== "open") return;
      try {
        const all = { names: null, since: null, until: null, limit: 100 };
        for (const { at, stream, details } of opened.archive.read(all).entries) {
          hold(!Number.isNaN(Date.parse(at)), "when it was");
          hold(stream === null || stream !== "", "whose it was");
          hold(Object.getPrototypeOf(details) === Object.prototype, "its details");
        }
        hold(Number.isSafeInteger(opened.archive.lastId), "the last number");
      } catch (error) {
        if (error instanceof Broken || !isOfSqlite(error)) throw error;
      } finally {
        opened.archive.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** What an earlier daemon, a disk or somebody by hand left in the state directory. */
export const RECORDS: readonly Target[] = [
  record("streams", SpecRecord, sampled("state/streams")),
  record("keys", SecretRecord, [secret, ...sampled("state/keys")]),
  record("memory", MemoryRecord, sampled("state/memory")),
  record("run", RunRecord, sampled("run")),
  record("limits", LimitsRecord, sampled("state", "limits.json")),
  record("memo", Memo, sampled("state", "encoders.json")),
  record("metrics", MetricsRecord, sampled("state", "metrics.json")),
  metrics,
  history,
];
