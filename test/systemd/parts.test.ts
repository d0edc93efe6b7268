import { readdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { journalLine, withPriority } from "../../daemon/log/journal.ts";
import { tryDurably } from "../../daemon/store/atomic-file.ts";
import { DiskLook } from "../../daemon/systemd/disk-look.ts";
import { statusLine } from "../../daemon/systemd/status-line.ts";

t.test("the status line", async (t) => {
  t.equal(statusLine([], 0, null), "no streams");
  t.equal(statusLine(["stopped", "finished"], 0, null), "nothing on the air");
  t.equal(
    statusLine(["live", "backoff", "live", "foreign", "stopped", "live"], 0, null),
    "3 live, 1 in backoff; 1 foreign",
  );
  t.equal(
    statusLine(["failed", "waiting", "starting", "stopping"], 2, "the disk does not answer"),
    "1 starting, 1 waiting, 1 stopping; 1 failed; the disk does not answer; 2 warnings: see streambro daemon status",
  );
});

t.test("a disk that hangs, refuses, recovers", async (t) => {
  let now = 0;
  let tries = 0;
  let outcome = Promise.withResolvers<void>();
  const disk = new DiskLook(
    "/state",
    () => {
      tries += 1;
      return outcome.promise;
    },
    () => now,
  );
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  disk.begin();
  t.equal(disk.trouble(), null);
  now = 10_001;
  t.match(disk.trouble(), { brief: "the disk does not answer", sentence: /\/state does not/ });
  disk.begin();
  t.equal(tries, 1, "no second thread waits for it");
  outcome.reject(new Error("ENOSPC: no space left on device, fsync\nmore"));
  await settled();
  t.match(disk.trouble(), { brief: "the disk takes nothing", sentence: /ENOSPC.*, fsync\. / });
  outcome = Promise.withResolvers<void>();
  disk.begin();
  t.match(disk.trouble(), { brief: "the disk takes nothing" }, "until it is known better");
  outcome.resolve();
  await settled();
  t.equal(disk.trouble(), null);
});

t.test("a trial of a disk leaves nothing", async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "sb-disk-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  await tryDurably(directory);
  t.same(readdirSync(directory), []);
  await t.rejects(tryDurably(path.join(directory, "gone")), { code: "ENOENT" });
});

t.test("lines for the journal", async (t) => {
  const line = (fields: object): string => JSON.stringify({ time: "2026-01-02", ...fields });
  const inJournal = journalLine();
  t.equal(
    inJournal(line({ level: "warn", stream: "a", event: "backoff", msg: "a: retry in 3 s" })),
    '<4>a: retry in 3 s {"event":"backoff","stream":"a"}\n',
  );
  for (const [level, number] of Object.entries({ debug: 7, info: 6, error: 3 }))
    t.equal(inJournal(line({ level, msg: "x" })), `<${number}>x {}\n`);
  t.equal(
    inJournal(line({ level: "info", msg: "a\n<0>b" })),
    "<6>a\uFFFD<0>b {}\n",
    "stays one line",
  );
  const pretty = journalLine(() => "one\n    two\n");
  t.equal(pretty(line({ level: "error", msg: "x" })), "<3>one\n<3>    two\n");
  t.equal(inJournal("no JSON\n"), "no JSON\n");
  t.equal(withPriority("error", "a\n"), "<3>a\n");
});
