import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Test } from "tap";
import type { HistoryEntry } from "../../shared/contract/history.ts";
import { History } from "../../daemon/history/history.ts";
import type { Bounds } from "../../daemon/history/prune.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type Line, recordingLog } from "../helpers/recording-log.ts";

export type Bench = {
  readonly file: string;
  readonly clock: FakeClock;
  readonly lines: readonly Line[];
  bounds: Bounds;
  history: History;
  /** Ends the one and begins another with the same file, as a restart would. */
  restart(): void;
  record(stream: string | null, message: string): void;
  /** What is remembered, of one stream or of all. */
  read(name?: string): readonly HistoryEntry[];
  messages(name?: string): string[];
};

export const DAY = 86_400_000;
const WIDE: Bounds = { keepMs: 90 * DAY, rows: 100_000, rowsPerStream: 10_000 };

/** A history with a real database and a clock of its own. */
export const bench = (test: Pick<Test, "teardown">, given: { file?: string } = {}): Bench => {
  const folder = mkdtempSync(path.join(tmpdir(), "sb-history-"));
  const file = given.file ?? path.join(folder, "history.db");
  const clock = new FakeClock();
  clock.aheadMs = Date.parse("2026-11-23T00:00:00Z");
  const { log, lines } = recordingLog();
  const open = (): History =>
    new History({
      ...{ file, clock, log, monotonic: () => clock.at },
      bounds: () => made.bounds,
    });
  const made: Bench = {
    ...{ file, clock, lines, bounds: WIDE },
    history: null as unknown as History,
    restart: () => {
      made.history.close();
      made.history = open();
    },
    record: (stream, message) => made.history.record({ stream, kind: "started", message }),
    read: (name) =>
      made.history.read({
        ...{ since: null, until: null, limit: 100_000 },
        names: name === undefined ? null : [name],
      }).entries,
    messages: (name) => made.read(name).map(({ message }) => message),
  };
  made.history = open();
  test.teardown(() => {
    made.history.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return made;
};
