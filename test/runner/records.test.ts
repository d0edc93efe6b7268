import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import type { Timeline } from "../../daemon/media/timeline.ts";
import { existence, identify, parseStat } from "../../daemon/runner/identity.ts";
import { readProgress } from "../../daemon/runner/progress-file.ts";
import { isOfThisBoot, readExit, readPids, readRunRecord } from "../../daemon/runner/run-record.ts";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const directory = mkdtempSync(path.join(tmpdir(), "streambro-records-"));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string): string => path.join(directory, name);

t.test("/proc/PID/stat with hostile names", async (t) => {
  const rest = `S 41 42 ${Array.from({ length: 16 }, (_, n) => n).join(" ")} 98765 1 2 3`;
  for (const name of [
    "ffmpeg",
    "a) R (b",
    ") Z 1 1 1",
    "((((",
    "))))",
    "",
    " ",
    "a b c",
    "x) Z 1 2",
    "naïve",
    "\n",
  ]) {
    t.same(
      parseStat(`4711 (${name}) ${rest}\n`),
      { state: "S", parent: 41, group: 42, startTime: 98_765 },
      name,
    );
  }
  for (const text of [
    "",
    "1",
    "1 (x)",
    "1 (x) ",
    "1 (x) S",
    "1 (x) S 1 2 3",
    ")",
    "x".repeat(10_000),
    `1 (x) S ${"y ".repeat(60)}`,
  ]) {
    t.equal(parseStat(text), null, text.slice(0, 20));
  }
  const own = identify(process.pid);
  t.equal(own?.pid, process.pid);
  t.equal(own === null ? null : existence(own), "alive");
  t.equal(identify(-1), null);
  t.equal(identify(Number.NaN), null);
  t.equal(existence({ pid: 0, startTime: 0 }), "dead");
});

/** As release 0.1 wrote it. */
const media = {
  container: "mov,mp4,m4a,3gp,3g2,mj2",
  durationMs: 1,
  startMs: 0,
  sizeBytes: 1,
  mtimeMs: 1,
  video: {
    index: 0,
    codec: "h264",
    width: 160,
    height: 120,
    frameMs: 40,
    reorderMs: 0,
  },
  audio: null,
  longestTrackMs: 1,
  headMs: 0,
  leastPassMs: 1,
  shared: { fromMs: 0, toMs: 1 },
  skewMs: 0,
};
const record = {
  version: 1,
  name: "radio",
  bootId: "boot",
  revision: 1,
  startedAt: 1,
  input: "/film.mp4",
  loop: true,
  url: "rtmp://h/a",
  target: "digest",
  media,
  timeline: {
    fromMs: 0,
    leadMs: 0,
    headMs: 0,
    firstMs: 1,
    cycleMs: 1,
    passes: 1,
  } satisfies Timeline,
  logFrom: 0,
};

t.test("pids and exit say something only when they are whole", async (t) => {
  const pids: readonly [string, boolean][] = [
    ["11 100 12 101\n", true],
    ["11 100 12 101", true],
    ["11 100 12\n", false],
    ["11 100 12 \n", false],
    ["11  12 101\n", false],
    ["0 100 12 101\n", false],
    ["11 100 1 101\n", false],
    ["11 100 -12 101\n", false],
    ["11 100 12.5 101\n", false],
    ["11 100 12 101 13\n", false],
    ["11 100 1e99 101\n", false],
    ["11 100 NaN 101\n", false],
    ["", false],
  ];
  for (const [text, good] of pids) {
    writeFileSync(file("pids"), text);
    t.equal(readPids(directory) !== null, good, JSON.stringify(text));
  }
  writeFileSync(file("pids"), "11 100 12 101\n");
  t.same(readPids(directory), {
    runner: { pid: 11, startTime: 100 },
    ffmpeg: { pid: 12, startTime: 101 },
  });
  const exits: readonly [string, object | null][] = [
    ["0\n", { code: 0, signal: null }],
    ["1\n", { code: 1, signal: null }],
    ["255", { code: 255, signal: null }],
    ["137\n", { code: null, signal: "SIGKILL" }],
    ["143\n", { code: null, signal: "SIGTERM" }],
    ["139\n", { code: null, signal: "SIGSEGV" }],
    ["", null],
    ["\n", null],
    ["-1\n", null],
    ["0x1", null],
    ["1 2", null],
    ["1234", null],
    ["zero", null],
  ];
  for (const [text, exit] of exits) {
    writeFileSync(file("exit"), text);
    t.same(readExit(directory), exit, JSON.stringify(text));
  }
  t.equal(readExit(path.join(directory, "nowhere")), null);
  t.equal(readPids("/proc/self/mem"), null);
});

t.test("run.json counts only when all of it is there", async (t) => {
  const read = (value: unknown): unknown => {
    writeFileSync(file("run.json"), typeof value === "string" ? value : JSON.stringify(value));
    return readRunRecord(directory);
  };
  t.match(
    read(record),
    { name: "radio", tracks: null, lagMs: 0, media: { video: { rotation: null } } },
    "a record of release 0.1",
  );
  const found = readRunRecord(directory);
  t.notOk(found !== null && isOfThisBoot(found), "of another boot");
  t.match(read({ ...record, more: 1 }), { name: "radio" }, "what a newer release adds is left out");
  t.equal(read({ ...record, version: 2 }), null);
  const text = JSON.stringify(record);
  for (let end = 0; end < text.length; end += 1)
    if (read(text.slice(0, end)) !== null) t.fail(`cut at ${end}`);
  for (const key of Object.keys(record)) {
    t.equal(read({ ...record, [key]: undefined }), null, `without ${key}`);
    t.equal(read({ ...record, [key]: null }), null, `${key} is null`);
    t.equal(read({ ...record, [key]: { wrong: true } }), null, `${key} is something else`);
  }
});

const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

t.test("random bytes never throw and never pass for an exit of 0", async (t) => {
  const random = seeded(5);
  const good = [
    "11 100 12 101\n",
    "137\n",
    JSON.stringify(record),
    "frame=1\nout_time_us=1000\nprogress=continue\n",
  ];
  const names = ["pids", "exit", "run.json", "progress"];
  for (let n = 0; n < 1_500; n += 1) {
    for (const [index, name] of names.entries()) {
      const bytes =
        random() < 0.5 ? Buffer.from(good[index] ?? "") : Buffer.alloc(Math.floor(random() * 64));
      for (
        let changes = random() < 0.5 ? 1 : bytes.length;
        changes > 0 && bytes.length > 0;
        changes -= 1
      ) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      writeFileSync(file(name), bytes);
    }
    try {
      readPids(directory);
      readRunRecord(directory);
      readProgress(directory, 0);
      const exit = readExit(directory);
      if (
        exit?.code === 0 &&
        readFileSync(file("exit"), "latin1").trim() !== "0" &&
        !/^0+$/.test(readFileSync(file("exit"), "latin1").trim())
      ) {
        t.fail("an exit of 0 that is none");
      }
    } catch (error) {
      t.fail(`threw: ${String(error)}`);
    }
  }
});

t.test("the progress file is read from its end, and emptied when it has grown", async (t) => {
  const report = (n: number): string =>
    `frame=${n}\nout_time_us=${n}000\ntotal_size=${n}\nprogress=continue\n`;
  rmSync(file("progress"));
  t.equal(readProgress(directory, 0), null);
  writeFileSync(file("progress"), "");
  t.equal(readProgress(directory, 0), null);
  writeFileSync(file("progress"), report(1) + report(2) + "frame=3\nout_ti");
  t.match(readProgress(directory, 0), { report: { outTimeMs: 2, frame: 2 } });
  writeFileSync(file("progress"), Array.from({ length: 9_000 }, (_, n) => report(n)).join(""));
  t.match(readProgress(directory, 0), { report: { outTimeMs: 8_999 } });
  t.equal(readFileSync(file("progress"), "utf8"), "", "emptied in place");
  t.equal(readProgress(directory, 0), null);
  truncateSync(file("progress"), 4 << 20);
  t.equal(readProgress(directory, 0), null, "a hole is no report");
  rmSync(file("progress"));
  mkdirSync(file("progress"));
  t.doesNotThrow(() => readProgress(directory, 0), "a folder");
});

const NO_DESCRIPTORS = `
  const { closeSync, openSync } = await import("node:fs");
  const { existence, identify, signal } = await import(process.argv[1]);
  const own = identify(process.pid);
  const held = [];
  try {
    for (;;) held.push(openSync("/dev/null"));
  } catch {}
  const seen = [existence(own), identify(own.pid), signal(own, "SIGCONT", false)];
  for (const fd of held) closeSync(fd);
  process.stdout.write(seen.join(" "));
`;

t.test("without descriptors nobody is taken for dead, and nobody is signalled", async (t) => {
  const identity = path.resolve(import.meta.dirname, "../../daemon/runner/identity.ts");
  const argv = ["--input-type=module", "-e", NO_DESCRIPTORS, identity];
  const run = await command("prlimit", ["--nofile=64", process.execPath, ...argv], {
    env: plainEnvironment(),
  });
  t.equal(run.stdout, "unknown  false", run.stderr);
});
