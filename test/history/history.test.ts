import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import t from "tap";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { until } from "../helpers/until.ts";
import { DAY, bench } from "./bench.ts";

const TMPFS = ["-t", "tmpfs", "-o", "size=2m", "tmpfs"];
const canMount = async (): Promise<boolean> => {
  const directory = mkdtempSync(path.join(tmpdir(), "sb-history-"));
  const mounted =
    process.getuid?.() === 0 && (await command("mount", [...TMPFS, directory])).code === 0;
  if (mounted) await output("umount", [directory]);
  rmSync(directory, { recursive: true });
  return mounted;
};
// Before the first test: what is awaited between two may find that the file has ended.
const noTmpfs = (await canMount()) ? false : "a tmpfs cannot be mounted here";

t.test("what happened outlives a restart, in the order in which it happened", async (t) => {
  const made = bench(t);
  made.record("radio", "first");
  made.clock.aheadMs -= 30 * DAY;
  made.record(null, "the clock went back");
  made.restart();
  made.record("radio", "last");
  t.same(made.messages(), ["first", "the clock went back", "last"]);
  t.same(
    made.read().map(({ id }) => id),
    [1, 2, 3],
  );
  t.same(made.messages("radio"), ["first", "last"]);
  t.equal(statSync(made.file).mode & 0o777, 0o600);
  const beside = readdirSync(path.dirname(made.file)).filter((name) => name !== "history.db");
  t.same(beside, ["history.db-wal"], "no index in shared memory");
  made.history.close();
  t.same(readdirSync(path.dirname(made.file)), ["history.db"]);
});

t.test("what is asked for: names, times, the newest that fit", async (t) => {
  const made = bench(t);
  for (let n = 0; n < 10; n += 1) {
    made.record(n % 2 === 0 ? "even" : "odd", `n${n}`);
    made.clock.pass(1_000);
  }
  const all = made.read();
  const at = (n: number): number => Date.parse(all[n]?.at ?? "");
  const read = (query: object): { messages: string[]; more: boolean } => {
    const usual = { names: null, since: null, until: null, limit: 100 };
    const { entries, more } = made.history.read({ ...usual, ...query });
    return { messages: entries.map(({ message }) => message), more };
  };
  t.same(read({ limit: 2 }), { messages: ["n8", "n9"], more: true });
  t.same(read({ limit: 10 }).more, false);
  t.same(read({ since: at(3), until: at(5) }).messages, ["n3", "n4"]);
  t.same(read({ names: ["odd"], since: at(3) }).messages, ["n3", "n5", "n7", "n9"]);
  t.same(read({ names: ["odd", "even"], limit: 1, before: 4 }).messages, ["n2"]);
  t.same(read({ names: ["none"] }), { messages: [], more: false });
  t.same([made.history.knows("odd"), made.history.knows("none")], [true, false]);
});

t.test("bounds", async (t) => {
  t.test("whoever has the most gives, and nobody else", async (t) => {
    const made = bench(t);
    made.bounds = { keepMs: DAY, rows: 1_000, rowsPerStream: 400 };
    const fill = (stream: string, count: number): void => {
      // What somebody did is kept in any case.
      for (let n = 0; n < count; n += 1)
        made.history.record({ stream, kind: "changed", message: `${stream} ${n}` });
    };
    fill("quiet", 10);
    fill("loud", 3_000);
    t.equal(made.messages("quiet").length, 10);
    const loud = made.messages("loud");
    t.equal(loud.length, 400);
    t.equal(loud.at(-1), "loud 2999", "the newest are kept");
    fill("other", 399);
    fill("third", 399);
    made.clock.pass(60_000);
    t.ok(made.read().length <= 1_000, `${made.read().length} in all`);
    t.equal(made.messages("quiet").length, 10, "still all of the quiet one's");
  });

  t.test("age, in small steps", async (t) => {
    const made = bench(t);
    made.bounds = { keepMs: DAY, rows: 100_000, rowsPerStream: 10_000 };
    for (let n = 0; n < 500; n += 1)
      made.history.record({ stream: "old", kind: "changed", message: "old" });
    made.clock.at += DAY + 1;
    made.record("young", "young");
    made.clock.pass(1);
    const left = made.read("old").length;
    t.ok(left > 0 && left < 500, `one step leaves ${left}`);
    made.clock.pass(60_000);
    t.same(made.messages(), ["young"]);
    t.notOk(made.history.knows("old"));
  });

  t.test("a clock that was set far ahead makes nothing old", async (t) => {
    const made = bench(t);
    made.record("radio", "kept");
    made.clock.aheadMs += 3_650 * DAY;
    made.clock.pass(600_000);
    t.same(made.messages(), ["kept"]);
    made.clock.aheadMs -= 3_650 * DAY;
    made.clock.at += 91 * DAY;
    made.clock.pass(20_000);
    t.same(made.messages(), [], "by the right clock it grows old");
  });
});

t.test("a stream that flaps for three days", async (t) => {
  const made = bench(t);
  made.record("quiet", "quiet");
  let told = 0;
  made.history.onEntry = () => {
    told += 1;
  };
  const EVERY = 300;
  const states = ["live -> backoff", "backoff -> starting", "starting -> live"];
  // An hour in full, then every 300th, which is as good: it is still more than is kept.
  for (let ms = 0; ms < 3 * DAY; ms += ms < 3_600_000 ? EVERY : EVERY * 300) {
    made.record("loud", states[told % 3] ?? "");
    made.clock.at += ms < 3_600_000 ? EVERY : EVERY * 300;
    made.clock.pass(0);
  }
  made.record("loud", "the last that happened");
  const rows = made.read("loud");
  t.equal(rows.at(-1)?.message, "the last that happened", "which is seen at once");
  t.ok(rows.length < 3_500, `${rows.length} rows`);
  const skipped = rows.reduce((sum, row) => sum + row.skipped, 0);
  t.equal(rows.length + skipped, told, "and all that was left out is counted");
  t.same(made.messages("quiet"), ["quiet"]);
  made.clock.pass(60_000);
  made.restart();
  t.equal(made.messages("loud").at(-1), "the last that happened", "and kept");
  made.history.close();
  t.ok(statSync(made.file).size < 2 << 20, `${statSync(made.file).size} bytes`);
});

t.test("a file that is bad is set aside, and nothing ends because of it", async (t) => {
  const spoil: Readonly<Record<string, (file: string) => void>> = {
    "no database": (file) => writeFileSync(file, "not a database\n".repeat(1_000)),
    "cut off": (file) => truncateSync(file, statSync(file).size - 4096 * 2),
    "other tables": (file) => {
      rmSync(file);
      const db = new DatabaseSync(file);
      db.exec("CREATE TABLE entries (x); PRAGMA user_version = 1");
      db.close();
    },
    "a table missing": (file) => {
      const db = new DatabaseSync(file);
      db.exec("DROP TABLE facts");
      db.close();
    },
    "bad pages": (file) => {
      const fd = openSync(file, "r+");
      for (let page = 1; page < 6; page += 1) writeSync(fd, "spoilt".repeat(600), page * 4096);
    },
  };
  for (const [what, work] of Object.entries(spoil)) {
    const made = bench(t);
    for (let n = 0; n < 500; n += 1)
      made.history.record({ stream: "radio", kind: "changed", message: "before" });
    made.history.close();
    work(made.file);
    made.restart();
    made.record("radio", "after");
    t.equal(made.messages().at(-1), "after", what);
    const aside = readdirSync(path.dirname(made.file)).filter((name) =>
      /unreadable-\d+$/.test(name),
    );
    t.equal(aside.length, 1, `${what}: ${aside.join(" ")}`);
    t.match(made.history.warnings, [/could not be read .* set aside as history\.db\.unreadable-/]);
    t.match(
      made.lines.filter(({ level }) => level === "warn"),
      [{ event: "history" }],
    );
    made.restart();
    t.same([made.messages().at(-1), made.history.warnings], ["after", []], what);
  }
});

t.test("a file of a later release is left as it is", async (t) => {
  const made = bench(t);
  made.record("radio", "before");
  made.history.close();
  const db = new DatabaseSync(made.file);
  db.exec("PRAGMA user_version = 99");
  db.close();
  const bytes = readFileSync(made.file);
  made.restart();
  const told: string[] = [];
  made.history.onEntry = ({ message }) => told.push(message);
  made.record("radio", "after");
  made.clock.pass(120_000);
  t.same(told, ["after"], "who listens is told all the same");
  t.throws(() => made.read(), {
    code: "OPERATION_FAILED",
    message: /later release \(version 99\)/,
  });
  t.match(made.history.warnings, [/later release/]);
  made.history.close();
  t.ok(readFileSync(made.file).equals(bytes));
});

t.test("a file that cannot be had just now is had later", async (t) => {
  const made = bench(t);
  made.record("radio", "before");
  made.history.close();
  const other = new DatabaseSync(made.file);
  other.exec("BEGIN IMMEDIATE");
  made.restart();
  made.record("radio", "meanwhile");
  made.clock.pass(30_000);
  t.match(made.history.warnings, [/not being written .*locked/]);
  other.close();
  made.clock.pass(20_000);
  t.same(made.messages(), ["before", "meanwhile"]);
  t.same(
    made.read().map(({ id }) => id),
    [1, 2],
    "with numbers that follow those in the file",
  );
  t.same(made.history.warnings, []);
  t.match(
    made.lines.map(({ level, event }) => `${level} ${String(event)}`),
    ["error history", "info history"],
    "said once, and once that it is over",
  );
});

t.test("a file that is removed or replaced under the daemon", async (t) => {
  const made = bench(t);
  made.record("radio", "before");
  made.clock.pass(20_000);
  rmSync(made.file);
  rmSync(`${made.file}-wal`);
  made.record("radio", "meanwhile");
  made.clock.pass(20_000);
  t.equal(statSync(made.file).mode & 0o777, 0o600);
  made.record("radio", "after");
  t.same(made.messages(), ["before", "meanwhile", "after"]);
  made.restart();
  t.same(made.messages(), ["before", "meanwhile", "after"], "and on disk");

  const other = bench(t);
  other.record("other", "elsewhere");
  other.history.close();
  renameSync(other.file, made.file);
  made.clock.pass(20_000);
  made.record("radio", "since");
  made.restart();
  t.same(made.messages(), ["elsewhere", "since"], "what somebody has put there counts");
  t.match(
    made.lines.map(({ level, sentence }) => `${level} ${sentence}`),
    [/^warn .* was removed and was put back/, /^warn .* was replaced/],
  );
  t.same(made.history.warnings, []);
});

t.test("a full disk", { skip: noTmpfs }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "sb-history-"));
  await output("mount", [...TMPFS, folder]);
  t.teardown(async () => {
    await output("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  const made = bench(t, { file: path.join(folder, "history.db") });
  const add = (count: number): void => {
    for (let n = 0; n < count; n += 1)
      made.history.record({ stream: "radio", kind: "changed", message: "x".repeat(200) });
    made.clock.pass(10_000);
  };
  add(100);
  await command("dd", ["if=/dev/zero", `of=${folder}/filler`, "bs=64k"]);
  add(1_500);
  add(1_500);
  t.match(made.history.warnings, [/not being written to .*full/]);
  t.equal(made.lines.filter(({ level }) => level === "error").length, 1, "said once");
  const seen = made.read().length;
  t.ok(seen >= 1_000, `${seen} can be read all the same`);
  rmSync(`${folder}/filler`);
  made.clock.pass(20_000);
  made.record("radio", "room again");
  t.equal(made.messages().at(-1), "room again");
  t.same(made.history.warnings, []);
  t.match(made.lines.at(-1), { level: "info", sentence: /written again; \d+ entries were lost/ });
});

t.test("kill -9 at any moment leaves it readable", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "sb-history-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "history.db");
  const source = path.resolve(import.meta.dirname, "../../daemon/history/history.ts");
  const script = `
    import { History } from ${JSON.stringify(source)};
    const quiet = () => {};
    const log = { debug: quiet, info: quiet, warn: quiet, error: console.error, child: () => log };
    const history = new History({
      file: ${JSON.stringify(file)}, log,
      bounds: () => ({ keepMs: 1e9, rows: 400, rowsPerStream: 300 }),
      clock: { now: Date.now, after: () => quiet }, monotonic: () => performance.now(),
    });
    const more = () => {
      for (let n = 0; n < 7; n += 1)
        history.record({ stream: "radio", kind: "changed", message: "x".repeat(n * 50) });
      setImmediate(more);
    };
    more();`;
  let last = 0;
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      ...{ stdio: "inherit", env: plainEnvironment() },
    });
    const grown = last;
    await until(
      "it writes",
      () => existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 100_000 * (round + 1),
      15_000,
    );
    child.kill("SIGKILL");
    await until("it is dead", () => child.signalCode === "SIGKILL", 5_000);
    const db = new DatabaseSync(file);
    t.same({ ...db.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
    const { rows, highest, lowest } = db
      .prepare("SELECT count(*) AS rows, max(id) AS highest, min(id) AS lowest FROM entries")
      .get() as Record<string, number>;
    db.close();
    last = highest ?? 0;
    t.ok(last > grown, `from ${grown} to ${last}`);
    t.equal((highest ?? 0) - (lowest ?? 0) + 1, rows, "none is missing in between");
  }
});

t.test("whose a stream was is remembered with each entry", async (t) => {
  const made = bench(t);
  const record = (stream: string | null, owner: string | null, message: string): void =>
    made.history.record({ stream, owner, kind: "changed", message, details: { pid: 7 } });
  record("radio", "anna", "first");
  record("news", "bob", "second");
  record(null, null, "the daemon's");
  record("radio", null, "nobody knows");
  record("radio", 'b"ob', "given away");
  const of = (owner: string | null, more: object = {}): string[] => {
    const query = { names: null, owner, since: null, until: null, limit: 10, ...more };
    return made.history.read(query).entries.map(({ message }) => message);
  };
  const look = (): void => {
    t.same(of("anna"), ["first", "the daemon's"]);
    t.same(of("bob"), ["second", "the daemon's"]);
    t.same(of('b"ob'), ["the daemon's", "given away"]);
    t.same(of("bob", { names: ["radio"] }), []);
    t.equal(of(null).length, 5);
    t.same(of("anna", { from: 2 }), ["the daemon's"]);
    const knows = ["anna", "bob", 'b"ob', null].map((owner) => made.history.knows("radio", owner));
    t.same(knows, [true, false, true, true]);
  };
  look();
  made.restart();
  look();
  t.match(made.read("radio"), [{ owner: "anna", details: { pid: 7 } }, { owner: null }, {}]);
  t.same(made.read("radio")[0]?.details, { pid: 7 });
});
