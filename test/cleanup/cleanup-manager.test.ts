import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { CleanupManager } from "../../daemon/cleanup/cleanup-manager.ts";
import { removeOrphans } from "../../daemon/cleanup/orphans.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { placesOf } from "../../daemon/store/layout.ts";
import { Store } from "../../daemon/store/store.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { recordingLog } from "../helpers/recording-log.ts";

const make = (t: Test, settings: Record<string, unknown> = {}) => {
  const home = mkdtempSync(path.join(tmpdir(), "sb-cleanup-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const store = new Store(path.join(home, "state"), path.join(home, "run"));
  const { log, lines } = recordingLog();
  const clock = new FakeClock();
  const forgotten: string[] = [];
  const results: { succeeded: boolean; bytes: number }[] = [];
  const values = SettingsSchema.parse(settings);
  const cleanup = new CleanupManager({
    settings: () => values,
    clock,
    log,
    places: (name) => placesOf(store.layout, name),
    forgetRetries: (name) => forgotten.push(`retries of ${name}`),
    forgetNotes: (name) => void forgotten.push(`notes of ${name}`),
    removeOrphans: (active) => removeOrphans(store, active),
    onCleanup: (succeeded, bytes) => void results.push({ succeeded, bytes }),
  });
  /** A run directory as a stream leaves it: 100 bytes of key, a playlist, a link to a long film. */
  const leave = (name: string): string => {
    const { run, log: file } = placesOf(store.layout, name);
    mkdirSync(run);
    writeFileSync(path.join(run, "output-0.ffpreset"), "k".repeat(100));
    writeFileSync(path.join(run, "cycle.ffconcat"), "c".repeat(11));
    const film = path.join(home, "film.mp4");
    writeFileSync(film, "f".repeat(5_000));
    symlinkSync(film, path.join(run, "item-0.mp4"));
    writeFileSync(file, "the log\n");
    return run;
  };
  return { home, store, cleanup, clock, lines, forgotten, results, leave };
};

// The real file system: a made-up one would only do what it was told.
t.test("Test CleanupManager with mock filesystem", async (t) => {
  await t.test("full cleanup of one stream, counted", async (t) => {
    const { store, cleanup, lines, forgotten, results, leave, home } = make(t);
    const [radio, news] = [leave("radio"), leave("news")];
    await cleanup.fullCleanup("radio");
    t.notOk(existsSync(radio));
    t.ok(existsSync(news), "another stream's is not touched");
    t.ok(existsSync(path.join(home, "film.mp4")), "nor what a link leads to");
    t.ok(existsSync(placesOf(store.layout, "radio").log), "its log stays readable");
    t.same(forgotten, ["notes of radio", "retries of radio"]);
    t.match(lines, [{ level: "info", event: "cleanup", stream: "radio", files: 3, bytes: 111 }]);
    t.same(results, [{ succeeded: true, bytes: 111 }]);
  });

  await t.test("by the single methods", async (t) => {
    const { cleanup, forgotten, leave, store } = make(t, { LOG_MAX_BYTES: 65_536 });
    const run = leave("radio");
    const { log } = placesOf(store.layout, "radio");
    writeFileSync(log, "x".repeat(100_000));
    cleanup.cleanupLogs("radio");
    t.same(forgotten, ["notes of radio"]);
    t.ok(existsSync(`${log}.1`), "the log is within its bound");
    cleanup.cleanupRetryCount("radio");
    t.same(forgotten, ["notes of radio", "retries of radio"]);
    t.ok(existsSync(run));
    await cleanup.cleanupTempFiles("radio");
    t.notOk(existsSync(run));
  });

  await t.test("what cannot be removed is logged and never fatal", async (t) => {
    const { cleanup, lines, results, home, store } = make(t);
    // A file where the folder of all runs should be: the system refuses to look below it.
    rmSync(path.join(home, "run"), { recursive: true });
    writeFileSync(path.join(home, "run"), "");
    await cleanup.fullCleanup("radio");
    t.match(lines, [
      {
        level: "error",
        event: "CLEANUP_FAILED",
        stream: "radio",
        sentence: /^Failed to cleanup resources for stream radio: ENOTDIR/,
      },
    ]);
    t.same(results, [{ succeeded: false, bytes: 0 }]);
    t.ok(store);
  });

  await t.test("orphans go, counted; what is active or alive stays", async (t) => {
    const { cleanup, lines, leave, store, results } = make(t);
    const [mine, orphan, alive] = [leave("mine"), leave("orphan"), leave("alive")];
    const stat = (await import("node:fs")).readFileSync("/proc/self/stat", "utf8");
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    writeFileSync(
      path.join(alive, "pids"),
      `${process.pid} ${startTime} ${process.pid} ${startTime}\n`,
    );
    const removed = await cleanup.cleanupOrphanedFiles(["mine", "alive"]);
    t.same([existsSync(mine), existsSync(orphan), existsSync(alive)], [true, false, true]);
    t.equal(removed, 2, "its run directory and its log");
    t.match(lines, [{ event: "remains", files: 2 }]);
    t.notOk(existsSync(placesOf(store.layout, "orphan").log));
    t.equal(await cleanup.cleanupOrphanedFiles(["mine", "alive"]), 0);
    t.same(results, [{ succeeded: true, bytes: 0 }], "nothing to remove is no cleanup");
  });

  await t.test("orphans that cannot be removed are logged and counted too", async (t) => {
    const { cleanup, lines, store, results } = make(t);
    rmSync(store.layout.runs, { recursive: true });
    writeFileSync(store.layout.runs, "");
    t.equal(await cleanup.cleanupOrphanedFiles([]), 0);
    t.match(lines, [{ level: "error", event: "CLEANUP_FAILED", sentence: /^Failed to cleanup/ }]);
    t.same(results, [{ succeeded: false, bytes: 0 }]);
  });

  await t.test("logs of streams at rest go with age", async (t) => {
    const { cleanup, leave, store, clock, results } = make(t, { LOG_KEEP_MS: 60_000 });
    leave("old");
    leave("new");
    const logOf = (name: string): string => placesOf(store.layout, name).log;
    const old = (clock.now() - 60_001) / 1000;
    utimesSync(logOf("old"), old, old);
    const recent = (clock.now() - 59_000) / 1000;
    utimesSync(logOf("new"), recent, recent);
    await cleanup.cleanupOldLogs(["old", "new", "none"]);
    t.same([existsSync(logOf("old")), existsSync(logOf("new"))], [false, true]);
    t.same(results, [{ succeeded: true, bytes: 8 }]);
  });

  await t.test("switched off, it removes nothing", async (t) => {
    const { cleanup, leave, lines } = make(t, { CLEANUP_ENABLED: false });
    const run = leave("radio");
    await cleanup.fullCleanup("radio");
    await cleanup.cleanupTempFiles("radio");
    t.equal(await cleanup.cleanupOrphanedFiles([]), 0);
    t.ok(existsSync(run));
    t.same(lines, []);
  });
});
