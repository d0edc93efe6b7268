import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Log } from "../../daemon/log/log.ts";
import { Keeper, readKept } from "../../daemon/metrics/keeper.ts";
import { type CounterRow, MetricsRecord } from "../../daemon/metrics/schema.ts";
import { until } from "../helpers/until.ts";

const row = (value: number): CounterRow => ({ name: "streambro_x_total", labels: {}, value });

const bench = (file: string) => {
  const timers: { at: number; run: () => void }[] = [];
  const said: string[] = [];
  const made = { at: 0, value: 0, timers, said, file };
  const write = (level: string) => (_: object, sentence: string) =>
    void said.push(`${level}: ${sentence}`);
  const log: Log = {
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    child: () => log,
  };
  const keeper = new Keeper({
    file,
    rows: async () => [row(made.value)],
    clock: {
      now: () => made.at,
      after: (ms, run) => {
        const timer = { at: made.at + ms, run };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
    monotonic: () => made.at,
    log,
  });
  /** Lets time pass until the timer that is set, and runs it. */
  const pass = (): void => {
    const next = timers.shift();
    if (next === undefined) throw new Error("no timer is set");
    made.at = next.at;
    next.run();
  };
  const saved = async (value: number): Promise<unknown> =>
    until(`${value} is saved`, () => kept(file).some((one) => one.value === value), 5_000);
  return Object.assign(made, { keeper, pass, saved });
};

/** As it lies there; `readKept` is for a daemon's start and takes drafts away. */
const kept = (file: string): readonly CounterRow[] =>
  MetricsRecord.parse(JSON.parse(readFileSync(file, "utf8"))).counters;

t.test("the first count is saved at once, a crowd of them once a second", async (t) => {
  const it = bench(path.join(t.testdir(), "metrics.json"));
  it.at = 5_000;
  it.value = 1;
  it.keeper.touch(false);
  t.same(
    it.timers.map(({ at }) => at),
    [5_000],
  );
  it.pass();
  await it.saved(1);
  for (it.value = 2; it.value < 100; it.value += 1) it.keeper.touch(false);
  t.same(
    it.timers.map(({ at }) => at),
    [6_000],
  );
  it.pass();
  await it.saved(100);
  it.keeper.touch(true);
  it.at += 10;
  it.keeper.touch(true);
  t.same(
    it.timers.map(({ at }) => at),
    [36_000],
    "time alone is saved twice a minute",
  );
  it.keeper.touch(false);
  t.same(
    it.timers.map(({ at }) => at),
    [7_000],
    "but with what is counted",
  );
  it.value = 101;
  await it.keeper.close();
  t.equal(kept(it.file)[0]?.value, 101, "and at the end");
  it.keeper.touch(false);
  t.same(it.timers, [], "after which nothing is written");
  t.same(it.said, []);
});

t.test("where it cannot be saved it is said once, and once that it can again", async (t) => {
  const directory = path.join(t.testdir(), "not-there");
  const it = bench(path.join(directory, "metrics.json"));
  for (it.value = 1; it.value < 4; it.value += 1) {
    it.keeper.touch(false);
    it.pass();
    await until("it was said", () => it.said.length > 0, 5_000);
  }
  mkdirSync(directory);
  it.keeper.touch(false);
  it.pass();
  await it.saved(4);
  await it.keeper.close();
  t.match(it.said, [/^error: metrics: counters are not being saved in .*ENOENT/, /^info: .*works/]);
  t.equal(it.said.length, 2);
});

t.test("what cannot be read is set aside, not deleted", async (t) => {
  const good = JSON.stringify({ version: 1, counters: [row(7)] });
  const rows: readonly (readonly [string, string])[] = [
    ["no JSON", "{"],
    ["nothing", ""],
    ["no version", good.replace('"version":1', '"version":0')],
    ["no number", good.replace("7", '"7"')],
    ["less than nothing", good.replace("7", "-7")],
    ["null", "null"],
  ];
  for (const [what, text] of rows) {
    const file = path.join(t.testdir({ "metrics.json": text }), "metrics.json");
    const found = readKept(file, 123);
    t.same(found.counters, [], what);
    t.match(found.warning, /could not be read .* as metrics\.json\.unreadable-123\. .* begin at 0/);
    t.equal(readFileSync(`${file}.unreadable-123`, "utf8"), text, what);
    t.same(
      readKept(file, 0),
      { counters: [], isUnread: false, warning: null },
      `${what}: then there is none`,
    );
  }
  const directory = t.testdir({ "metrics.json": good, "metrics.json.1.tmp": "{", "other.tmp": "" });
  const file = path.join(directory, "metrics.json");
  t.same(readKept(file, 0), { counters: [row(7)], isUnread: false, warning: null });
  t.same(
    readdirSync(directory).toSorted(),
    ["metrics.json", "other.tmp"],
    "half a write is removed",
  );
  rmSync(file);
  symlinkSync("/dev/zero", file);
  t.match(readKept(file, 5).warning, /it is not a file/, "nothing without an end is read");
  writeFileSync(file, good);
  t.equal(kept(file).length, 1);
  const beneath = readKept(path.join(file, "metrics.json"), 0);
  t.match(beneath, { counters: [], isUnread: true, warning: /cannot be read just now .*ENOTDIR/ });
});
