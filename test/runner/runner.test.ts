import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Command, ownInput } from "../../daemon/reach/input.ts";
import { watchDeath } from "../../daemon/runner/death-watch.ts";
import { findMarked } from "../../daemon/runner/find-runs.ts";
import { existence, signal } from "../../daemon/runner/identity.ts";
import { launcher } from "../../daemon/runner/launch.ts";
import { type Pids, readExit, readPids } from "../../daemon/runner/run-record.ts";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { killAll, withArgument, withVariable } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const SCRIPT = path.resolve(import.meta.dirname, "../../daemon/runner/runner.sh");
// A space and a quote: what a state directory may be called.
const home = mkdtempSync(path.join(tmpdir(), "streambro runner's "));
t.teardown(() => {
  killAll([...withVariable("STREAMBRO_RUN", home), ...withArgument(home)]);
  rmSync(home, { recursive: true, force: true });
});

type Place = {
  readonly run: string;
  readonly lock: string;
  readonly log: string;
  readonly marker: string;
};
let serial = 0;
const place = (): Place => {
  const base = path.join(home, String((serial += 1)));
  mkdirSync(path.join(base, "run"), { recursive: true });
  return {
    run: path.join(base, "run"),
    lock: path.join(base, "lock"),
    log: path.join(base, "log"),
    marker: path.join(base, "lock"),
  };
};

const INPUT = ownInput("/nowhere");
const launch = launcher(SCRIPT);
const start = (at: Place, argv: Command): ReturnType<typeof launch> =>
  launch({
    runDirectory: at.run,
    lock: at.lock,
    log: at.log,
    marker: at.marker,
    input: INPUT,
    argv,
  });
const started = async (
  at: Place,
  argv: Command,
): Promise<Pids & { runner: NonNullable<Pids["runner"]> }> => {
  const launched = await start(at, argv);
  if (!launched.ok || launched.pids.runner === null) throw new Error("not started");
  return { ...launched.pids, runner: launched.pids.runner };
};
const exitOf = (at: Place, deadlineMs = 5_000): Promise<unknown> =>
  until("an exit on record", () => readExit(at.run), deadlineMs);
/** Without pipes, as the daemon starts it: what stays behind would hold them open. */
const front = async (at: Place): Promise<number | null> => {
  const argv = [SCRIPT, at.run, at.lock, at.log, at.marker, "sleep", "86399"];
  const child = spawn("/bin/sh", argv, {
    env: plainEnvironment(),
    stdio: "ignore",
    timeout: 10_000,
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
};

const SLEEP: Command = ["env", "--default-signal=TERM", "sleep", "86398"];

t.test("the true exit is on record", async (t) => {
  const rows: readonly [string, string, string | null, object][] = [
    ["0", "exit 0", null, { code: 0, signal: null }],
    ["3", "exit 3", null, { code: 3, signal: null }],
    ["255", "exit 255", null, { code: 255, signal: null }],
    ["not there", "exec /nowhere/ffmpeg", null, { code: 127, signal: null }],
    ["KILL", "exec sleep 86397", "SIGKILL", { code: null, signal: "SIGKILL" }],
    [
      "TERM",
      "exec env --default-signal=TERM sleep 86397",
      "SIGTERM",
      { code: null, signal: "SIGTERM" },
    ],
    ["SEGV", "kill -SEGV $$", null, { code: null, signal: "SIGSEGV" }],
  ];
  await Promise.all(
    rows.map(async ([what, words, sent, exit]) => {
      // One that ends by itself waits until it has been seen: ending at once is a test of its own.
      const script = sent === null ? `sleep 0.1; ${words}` : words;
      const at = place();
      const { runner, ffmpeg } = await started(at, ["sh", "-c", script]);
      if (sent !== null) {
        await until(
          "it is what it is to be",
          () => readFileSync(`/proc/${ffmpeg.pid}/comm`, "utf8") === "sleep\n",
          3_000,
        );
        t.ok(signal(ffmpeg, sent as NodeJS.Signals, true), what);
      }
      t.match(await exitOf(at), exit, what);
      await until("the runner ends too", () => existence(runner) === "dead", 3_000);
      t.same(withVariable("STREAMBRO_RUN", at.marker), [], `${what}: nothing is left`);
    }),
  );
});

t.test("what runs is detached, marked, without a pipe, and quick to start", async (t) => {
  const at = place();
  const began = performance.now();
  const { runner, ffmpeg } = await started(at, [
    "sh",
    "-c",
    'echo "to the log" >&2; echo lost; echo "frame=1" >&3; exec sleep 86398',
  ]);
  t.ok(performance.now() - began < 2_000);
  // Between its fork and its program it has no environment to be read; its lock is held all the while.
  await until("its marker is seen", () => findMarked(at.marker).has(at.marker), 3_000);
  t.same([...findMarked(at.marker).entries()], [[at.marker, ffmpeg]]);
  await until(
    "it wrote",
    () =>
      readFileSync(at.log, "utf8") === "to the log\n" &&
      readFileSync(path.join(at.run, "progress"), "utf8") === "frame=1\n",
    3_000,
  );
  const { state, group } = {
    state: readFileSync(`/proc/${ffmpeg.pid}/stat`, "utf8"),
    group: ffmpeg.pid,
  };
  t.equal(Number(state.slice(state.lastIndexOf(")") + 2).split(" ")[2]), group, "it leads a group");
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
    .split(" ")
    .map(Number);
  t.notOk(
    children.includes(runner.pid) || children.includes(ffmpeg.pid),
    "nothing is this process's child",
  );
  const other = place();
  const refused = await launch({
    runDirectory: other.run,
    lock: at.lock,
    log: other.log,
    marker: other.marker,
    input: INPUT,
    argv: SLEEP,
  });
  t.match(refused, { ok: false, why: "locked" }, "a second start is refused");
  for (const name of ["SIGTERM", "SIGHUP", "SIGINT"] as const) t.ok(signal(runner, name, false));
  t.equal(existence(runner), "alive", "the runner heeds none of them");

  t.ok(signal(runner, "SIGKILL", false));
  await until("the runner is gone", () => existence(runner) === "dead", 3_000);
  t.equal(existence(ffmpeg), "alive", "FFmpeg is not");
  const again = place();
  t.equal(await front({ ...again, lock: at.lock }), 75, "FFmpeg alone holds the lock");
  t.equal(readPids(again.run), null);
  t.ok(signal(ffmpeg, "SIGKILL", true));
  await until("FFmpeg is gone", () => existence(ffmpeg) === "dead", 3_000);
  t.equal(readExit(at.run), null, "nobody saw how: unknown, never 0");
  const { ffmpeg: third } = await started({ ...again, lock: at.lock }, SLEEP);
  t.ok(signal(third, "SIGKILL", true), "then the lock is free");
});

t.test("one that ends at once is a start all the same, and its exit is known", async (t) => {
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const at = place();
      const launched = await start(at, ["/bin/false"]);
      return launched.ok ? ((await exitOf(at)) as { code: number }).code : launched.message;
    }),
  );
  t.same(new Set(outcomes), new Set([1]), "sixty times", {
    others: outcomes.filter((one) => one !== 1),
  });
});

t.test("two starts at once: one of them", async (t) => {
  const at = place();
  const others = Array.from({ length: 6 }, () => ({ ...place(), lock: at.lock }));
  const codes = await Promise.all(others.map((one) => front(one)));
  t.same(
    codes.toSorted((a, b) => Number(a) - Number(b)),
    [0, 75, 75, 75, 75, 75],
  );
  t.equal(withVariable("STREAMBRO_RUN", home).length >= 1, true);
  killAll(others.flatMap((one) => withVariable("STREAMBRO_RUN", one.marker)));
});

t.test("nowhere to write: 74 or 2, and no process", async (t) => {
  const rows: readonly [string, (at: Place) => Place][] = [
    ["no run directory", (at) => ({ ...at, run: path.join(at.run, "missing") })],
    ["the lock cannot be made", (at) => ({ ...at, lock: path.join(at.run, "missing/lock") })],
    ["alive is something else", (at) => (mkdirSync(path.join(at.run, "alive")), at)],
    ["the pids cannot be noted", (at) => (mkdirSync(path.join(at.run, "pids.new")), at)],
  ];
  for (const [what, spoil] of rows) {
    const at = spoil(place());
    const code = await front(at);
    t.ok(code === 74 || code === 2, `${what}: ${code}`);
    await until("nothing runs", () => withVariable("STREAMBRO_RUN", at.marker).length === 0, 2_000);
    t.match(
      await start(at, SLEEP),
      { ok: false, why: "failed", message: /FFmpeg could not be started: (?!undefined)./ },
      what,
    );
    await until("nothing runs", () => withVariable("STREAMBRO_RUN", at.marker).length === 0, 2_000);
  }
});

const isRoot = process.geteuid?.() === 0;

t.test(
  "the lock of a stream that was removed",
  { skip: isRoot ? false : "not root" },
  async (t) => {
    const at = place();
    const { ffmpeg } = await started(at, SLEEP);
    await until("its marker is seen", () => findMarked(at.marker).has(at.marker), 3_000);
    // Somebody keeps it, as FFmpeg's user may, and leads a group by the name of the next one's lock; one
    // of them by a program that lends root's rights.
    const kept = openSync(`/proc/${ffmpeg.pid}/fd/8`, "r");
    t.teardown(() => closeSync(kept));
    rmSync(at.lock);
    t.same(findMarked(at.marker).get(at.marker), ffmpeg, "while it plays it is its runner's");
    signal(ffmpeg, "SIGKILL", true);
    await exitOf(at);
    writeFileSync(at.lock, "");
    for (const become of [["setpriv", "--reuid=65534", "--clear-groups"], ["env"]] as const) {
      const [program, ...words] = become;
      const child = spawn(program, [...words, "sleep", "86398"], {
        env: { ...plainEnvironment(), STREAMBRO_RUN: at.marker },
        stdio: [...Array.from({ length: 8 }, () => "ignore" as const), kept],
        detached: true,
      });
      await until("it runs", () => comm(child.pid ?? 0) === "sleep", 3_000);
      t.equal(findMarked(at.marker).size, 0, `${program}: nothing of the next one's`);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  },
);

const comm = (pid: number): string => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

t.test("neither a log nor a writable lock is needed", async (t) => {
  const at = place();
  const logless = { ...at, log: path.join(at.run, "missing/log") };
  const { ffmpeg } = await started(logless, SLEEP);
  t.equal(readlinkSync(`/proc/${ffmpeg.pid}/fd/2`), "/dev/null");
  t.equal(await front(at), 75, "the lock is held");
  signal(ffmpeg, "SIGKILL", true);
  t.match(await exitOf(at), { signal: "SIGKILL" });
});

t.test("what FFmpeg writes is bounded by the kernel, and it lives on", async (t) => {
  const at = place();
  const words = 'printf "%s" "$0" >&2; while :; do head -c 40000 /dev/zero >&2; sleep 0.02; done';
  const child = spawn("/bin/sh", [SCRIPT, at.run, at.lock, at.log, at.marker, "sh", "-c", words], {
    env: { ...plainEnvironment(), STREAMBRO_MOST_BLOCKS: "1000" },
    stdio: "ignore",
  });
  await once(child, "exit");
  const { ffmpeg } = readPids(at.run) ?? {};
  if (ffmpeg === undefined) throw new Error("not started");
  await until("the log is full", () => statSync(at.log).size === 512_000, 10_000);
  t.notOk(
    readFileSync(`/proc/${ffmpeg.pid}/environ`, "latin1").includes("STREAMBRO_MOST"),
    "how much is not its business",
  );
  truncateSync(at.log, 0);
  await until("emptied, it goes on", () => statSync(at.log).size > 0, 10_000);
  t.equal(existence(ffmpeg), "alive");
  signal(ffmpeg, "SIGKILL", true);
  await exitOf(at);
});

t.test("the end of file comes when the exit is in place", async (t) => {
  await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const at = place();
      const { ffmpeg } = await started(at, SLEEP);
      const seen = new Promise<unknown>((resolve) => {
        const watch = watchDeath(path.join(at.run, "alive"), () => resolve(readExit(at.run)));
        t.ok(watch);
      });
      signal(ffmpeg, n % 2 === 0 ? "SIGKILL" : "SIGTERM", true);
      t.match(await seen, { code: null, signal: n % 2 === 0 ? "SIGKILL" : "SIGTERM" });
    }),
  );
});

t.test("watching: alive, dead already, closed, removed, never there, no FIFO", async (t) => {
  const at = place();
  const fifo = path.join(at.run, "alive");
  const { ffmpeg } = await started(at, SLEEP);
  const ends: string[] = [];
  const first = watchDeath(fifo, () => void ends.push("first"));
  const closed = watchDeath(fifo, () => void ends.push("closed"));
  closed?.close();
  rmSync(fifo);
  t.equal(
    watchDeath(fifo, () => {}),
    null,
    "the name is gone",
  );
  t.same(ends, [], "alive");
  signal(ffmpeg, "SIGKILL", true);
  await until("the end is seen although the name is gone", () => ends.length > 0, 3_000);
  t.same(ends, ["first"]);
  first?.close();

  const over = place();
  await started(over, ["true"]);
  await exitOf(over);
  const late = path.join(over.run, "alive");
  await until("the runner let go", () => withArgument(over.run).length === 0, 3_000);
  let later = 0;
  const dead = watchDeath(late, () => (later += 1));
  t.ok(dead);
  t.equal(later, 0, "never before it has returned");
  await until("told at once", () => later === 1, 1_000);
  watchDeath(late, () => (later += 100))?.close();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  t.equal(later, 1, "closed in time, it is not told");

  writeFileSync(path.join(over.run, "plain"), "text");
  t.doesNotThrow(() => watchDeath(path.join(over.run, "plain"), () => {})?.close(), "no FIFO");
  t.doesNotThrow(() => watchDeath(over.run, () => {})?.close(), "a folder");
});

t.test("an upgrade overwrites runner.sh while it runs", async (t) => {
  const at = place();
  const script = path.join(home, "runner.sh");
  copyFileSync(SCRIPT, script);
  const gate = path.join(at.run, "gate");
  await command("mkfifo", [gate]);
  const launched = await launcher(script)({
    runDirectory: at.run,
    lock: at.lock,
    log: at.log,
    marker: at.marker,
    input: INPUT,
    argv: ["sh", "-c", `read line <"${gate}"; exit 3`],
  });
  t.match(launched, { ok: true });
  chmodSync(script, 0o755);
  const fd = openSync(script, "r+");
  writeSync(fd, "exit 99\n".repeat(1_000));
  closeSync(fd);
  writeFileSync(gate, "go\n");
  t.match(await exitOf(at), { code: 3, signal: null });
});

t.test("signals go to nobody else", async (t) => {
  for (const pid of [
    0,
    1,
    -1,
    -process.pid,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 31,
    999_999_999,
  ]) {
    t.notOk(signal({ pid, startTime: 1 }, "SIGCONT", true), String(pid));
    t.notOk(signal({ pid, startTime: 0 }, "SIGCONT", false), String(pid));
  }
  const init = readFileSync("/proc/1/stat", "utf8");
  const startTime = Number(init.slice(init.lastIndexOf(")") + 2).split(" ")[19]);
  t.notOk(signal({ pid: 1, startTime }, "SIGCONT", true), "not even when it matches");
  const at = place();
  const { runner, ffmpeg } = await started(at, SLEEP);
  t.notOk(
    signal({ ...ffmpeg, startTime: ffmpeg.startTime - 1 }, "SIGKILL", true),
    "another start time",
  );
  t.equal(existence({ ...ffmpeg, startTime: ffmpeg.startTime + 1 }), "dead");
  t.ok(signal(ffmpeg, "SIGSTOP", true));
  await until("suspended", () => existence(ffmpeg) === "stopped", 2_000);
  t.ok(signal(runner, "SIGSTOP", false));
  t.ok(signal(ffmpeg, "SIGKILL", true));
  await until("a zombie is dead", () => existence(ffmpeg) === "dead", 2_000);
  t.equal(readExit(at.run), null, "its runner sleeps");
  t.ok(signal(runner, "SIGCONT", false));
  t.match(await exitOf(at), { signal: "SIGKILL" });
  await until("the runner is gone", () => existence(runner) === "dead", 2_000);
});
