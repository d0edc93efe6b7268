import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { fakeTime } from "../helpers/faketime.ts";
import { renderFilm } from "../helpers/film.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const DAY_S = 86_400;
const HOUR_MS = 3_600_000;
const STEADY = ["one", "two", "timed"] as const;

const of = async (daemon: Daemon, name: string) => {
  const [found] = (await daemon.rpc("stream.status", { names: [name] })).streams;
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

const steps = (daemon: Daemon): number =>
  daemon.events().filter(({ event }) => event === "clock").length;

/** Seconds that were counted of all streams. */
const counted = async (daemon: Daemon): Promise<Map<string, number>> =>
  new Map(
    (await daemon.rpc("daemon.metrics", {})).metrics
      .filter(({ name, type }) => type === "counter" && /^streambro_.*seconds/.test(name))
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
  );

t.test("the daemon's wall clock jumps by a day", { timeout: 150_000 }, async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "sb-clock-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const faked = fakeTime(dir);
  const offset = { s: 0 };
  const now = (): number => Date.now() + offset.s * 1_000;
  const set = (s: number): void => {
    offset.s = s;
    faked.set(s);
  };
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const [nowhere = 0] = await freePorts(1);
  const daemon = await startDaemon({
    bin: faked.bin,
    env: { MAX_CONCURRENT_STREAMS_PER_USER: "20" },
  });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  for (const name of [...STEADY, "over", "late", "later"])
    await daemon.rpc("stream.add", { name, input, to: `${server.url}/${name}` });
  await daemon.rpc("stream.add", {
    ...{ name: "lost", input, to: `rtmp://127.0.0.1:${nowhere}/live/lost` },
  });
  await daemon.rpc("stream.start", { name: "timed", forMs: HOUR_MS });
  await daemon.rpc("stream.start", {
    ...{ name: "over", until: new Date(now() + HOUR_MS).toISOString() },
  });
  for (const name of ["one", "two", "lost"]) await daemon.rpc("stream.start", { name });
  for (const name of [...STEADY, "over"])
    await until(`${name} is live`, async () => (await of(daemon, name)).state === "live", 30_000);
  const pids = new Map<string, number | null>();
  for (const name of STEADY) pids.set(name, (await of(daemon, name)).pid);
  const watch = server.watchPublishers(100);

  await t.test("only the daemon has that clock", async (t) => {
    const maps = (pid: number): string => readFileSync(`/proc/${pid}/maps`, "latin1");
    t.match(maps(daemon.pid()), /libfaketime/);
    for (const pid of pids.values()) {
      t.notMatch(maps(pid ?? 0), /libfaketime/);
      t.notMatch(readFileSync(`/proc/${pid}/environ`, "latin1"), /LD_PRELOAD|FAKETIME/);
    }
  });

  /** What holds after a jump, whichever way it went. */
  const unharmed = async (t: Test, started: string, nth: number): Promise<void> => {
    const before = await counted(daemon);
    const lines = daemon.log().split("\n").length;
    const attempts = daemon.events().filter(({ event }) => event === "backoff").length;
    const begun = performance.now();
    await daemon.rpc("stream.start", { name: started });
    await until("the daemon has noticed", () => steps(daemon) === nth, 10_000);
    const { entries } = await daemon.rpc("history.list", {});
    const told = entries.filter(({ kind }) => kind === "clock");
    t.equal(told.length, nth, "and the history tells why its times leap");
    await until(
      "what is started now comes on the air",
      async () => (await of(daemon, started)).state === "live",
      30_000,
    );
    await until(
      "the one that is lost has tried again, and waits",
      async () =>
        daemon.events().filter(({ event }) => event === "backoff").length > attempts &&
        (await of(daemon, "lost")).state === "backoff",
      30_000,
    );
    const lost = await of(daemon, "lost");
    const waits = Date.parse(lost.retryAt ?? "") - now();
    t.ok(waits > -2_000 && waits <= 10_500, `it tries again in ${waits} ms`);
    const tookMs = performance.now() - begun;
    for (const name of STEADY) {
      const { pid, state, restarts, since, startedAt } = await of(daemon, name);
      t.same({ pid, state, restarts }, { pid: pids.get(name), state: "live", restarts: 0 }, name);
      for (const at of [since, startedAt]) {
        const ago = now() - Date.parse(at ?? "");
        t.ok(ago >= 0 && ago < 300_000, `${name}: since ${ago} ms`);
      }
    }
    const left = Date.parse((await of(daemon, "timed")).stopAt ?? "") - now();
    t.ok(left > HOUR_MS - 300_000 && left <= HOUR_MS, `an hour is an hour: ${left} ms are left`);
    const up = now() - Date.parse((await daemon.rpc("daemon.status", {})).startedAt);
    t.ok(up >= 0 && up < 300_000, `the daemon is up for ${up} ms`);
    const after = await counted(daemon);
    t.ok(before.size > 0);
    for (const [name, value] of before) {
      const more = (after.get(name) ?? Number.NaN) - value;
      t.ok(more >= 0 && more < 20 + (10 * tookMs) / 1_000, `${name}: ${more} more`);
    }
    const tried = daemon.events().filter(({ event }) => event === "backoff").length - attempts;
    t.ok(tried <= 2 + tookMs / 250, `${tried} attempts in ${tookMs.toFixed(0)} ms`);
    const said = daemon.log().split("\n").length - lines;
    t.ok(said < 20 + 4 * tried, `${said} lines of log`);
    await daemon.rpc("stream.stop", { name: started });
    const rests = await daemon.rpc("stream.wait", {
      name: started,
      for: "stopped",
      waitMs: 20_000,
    });
    t.equal(rests.outcome, "reached", "a stop ends it as ever");
  };

  await t.test("forward", async (t) => {
    set(DAY_S);
    await unharmed(t, "late", 1);
    await until(
      "what was to stop at a time of day has stopped",
      async () => (await of(daemon, "over")).state === "stopped",
      20_000,
    );
    t.match(await of(daemon, "over"), { desired: "stopped", stopAt: null });
  });

  await t.test("back, to the day before", async (t) => {
    set(-DAY_S);
    await unharmed(t, "later", 2);
  });

  await t.test("while no daemon is there", async (t) => {
    await daemon.kill("SIGKILL");
    set(DAY_S);
    await daemon.start();
    for (const name of STEADY) {
      const { pid, since, startedAt } = await of(daemon, name);
      t.equal(pid, pids.get(name), name);
      for (const at of [since, startedAt]) {
        const ago = now() - Date.parse(at ?? "");
        t.ok(ago >= -1_000 && ago < 300_000, `${name}: since ${ago} ms`);
      }
    }
    const left = Date.parse((await of(daemon, "timed")).stopAt ?? "") - now();
    t.ok(left > HOUR_MS - 300_000 && left <= HOUR_MS, `${left} ms of the hour are left`);
    await until(
      "all are live",
      async () =>
        (await Promise.all(STEADY.map((name) => of(daemon, name)))).every(
          ({ state, restarts }) => state === "live" && restarts === 0,
        ),
      20_000,
    );
  });

  const { streams } = await watch.stop();
  for (const name of STEADY) {
    const seen = streams.find((stream) => stream.name === name);
    t.same(seen?.absences, [], `${name}: never without its publisher`);
    t.ok((seen?.largestGapMs ?? Infinity) < 2_500, `${name}: longest pause ${seen?.largestGapMs}`);
    t.equal(server.publishes(name).length, 1, `${name}: published once`);
  }
});
