import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { isContiguousPiece } from "../helpers/contiguous.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { packetHashes } from "../helpers/packets.ts";
import { buildPrevious } from "../helpers/previous.ts";
import { processOf } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** The release before this one. */
const PREVIOUS = "9a226d2";
const KEPT = ["keyed", "encoded", "fields", "odd"] as const;
const NAMES = [...KEPT, "plain", "fragile"] as const;
const STOP_AT = "2100-01-01T00:00:00.000Z";

type Json = Record<string, any>;

const statuses = async (daemon: Daemon): Promise<Map<string, StreamStatus>> =>
  new Map((await daemon.rpc("stream.status", {})).streams.map((one) => [one.name, one] as const));

const leave = async (daemon: Daemon): Promise<void> => {
  await daemon.rpc("daemon.stop", { keepStreams: true });
  await until("the daemon is gone", () => !daemon.running(), 10_000);
};

const edit = (file: string, change: (json: Json) => void): void => {
  const json = JSON.parse(readFileSync(file, "utf8")) as Json;
  change(json);
  writeFileSync(file, JSON.stringify(json));
};

const previous = await buildPrevious(PREVIOUS);
const skip = previous.ok ? false : previous.why;

t.test(
  "from the previous release, on to this one, and back",
  { skip, timeout: 120_000 },
  async (t) => {
    if (!previous.ok) return;
    t.teardown(previous.remove);
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const dir = mkdtempSync(path.join(os.tmpdir(), "sb-"));
    const input = await renderFilm({ seconds: 5, size: "160x90" });
    const both = { dir, config: "hardware_encoding_enabled: false\n" };
    const older = (): Promise<Daemon> => startDaemon({ ...both, bin: previous.bin });
    const newer = (): Promise<Daemon> => startDaemon(both);

    let daemon = await older();
    t.teardown(async () => {
      await daemon.end();
      rmSync(dir, { recursive: true, force: true });
    });
    await daemon.rpc("limits.set", { perUser: 9, users: { nobody: 1 } });
    for (const name of NAMES) {
      const keyed =
        name === "keyed" ? { to: server.url, key: "keyed" } : { to: `${server.url}/${name}` };
      const encoded = name === "encoded" ? ({ mode: "encode" } as const) : {};
      await daemon.rpc("stream.add", { name, input, ...keyed, ...encoded });
      await daemon.rpc("stream.start", { name, ...(name === "keyed" ? { until: STOP_AT } : {}) });
    }
    const allLive = async (names: readonly string[]): Promise<Map<string, StreamStatus>> =>
      until(
        "all are live",
        async () => {
          const found = await statuses(daemon);
          return names.every((name) => found.get(name)?.state === "live") ? found : null;
        },
        30_000,
      );
    const begun = await allLive(NAMES);
    const pids = new Map(NAMES.map((name) => [name, begun.get(name)?.pid ?? 0]));
    const watch = server.watchPublishers(100);
    await until("the watch sees all", () => NAMES.every((name) => watch.of(name)), 5_000);

    const check = async (t: Test, names: readonly string[]): Promise<void> => {
      const now = await allLive(names);
      for (const name of names)
        t.match(
          now.get(name),
          { pid: pids.get(name as "plain"), restarts: 0, desired: "running", lastExit: null },
          `${name} is the same process`,
        );
      t.match(now.get("keyed"), { stopAt: STOP_AT }, "its stop time is kept");
      t.match(now.get("encoded"), { tracks: { video: { action: "encode" } } });
      t.match(await daemon.rpc("limits.get", {}), { perUser: 9, users: { nobody: 1 } });
      const { metrics } = await daemon.rpc("daemon.metrics", {});
      const starts = metrics.filter(({ name }) => name === "streambro_stream_starts_total");
      t.equal(
        starts.reduce((sum, { value }) => sum + value, 0),
        NAMES.length,
        "nothing was started, and the counters go on",
      );
      const { warnings } = await daemon.rpc("daemon.status", {});
      t.same(
        warnings.filter((one) => one.includes(dir) && !one.includes("odd")),
        [],
      );
    };

    await t.test("an upgrade", async (t) => {
      await leave(daemon);
      daemon = await newer();
      await check(t, NAMES);
      const short = await renderFilm({ seconds: 1, size: "160x90" });
      const ended = { name: "ended", input: short, to: `${server.url}/ended`, loop: false };
      await daemon.rpc("stream.add", ended);
      await daemon.rpc("stream.start", { name: "ended" });
    });

    await t.test("the runner of the previous release attends to the end", async (t) => {
      // As an upgrade in place does at its worst: into the very file that a shell is reading.
      writeFileSync(path.join(previous.dir, "dist/runner.sh"), "exit 99\n".repeat(1_000));
      process.kill(pids.get("fragile") ?? 0, "SIGSEGV");
      const after = await until(
        "it is back, started by this release",
        async () => {
          const one = (await statuses(daemon)).get("fragile");
          return one?.state === "live" && one.restarts === 1 ? one : null;
        },
        15_000,
      );
      t.match(after.lastExit, { signal: "SIGSEGV", reason: "crashed" }, "with its true status");
      const { stdout: runner } = await daemon.cli("rm", "fragile");
      t.equal(runner, "");
    });

    await t.test("this release again", async (t) => {
      await until(
        "it has played to its end",
        async () => (await statuses(daemon)).get("ended")?.state === "finished",
        15_000,
      );
      await leave(daemon);
      daemon = await newer();
      const left = NAMES.filter((name) => name !== "fragile");
      const now = await allLive(left);
      t.same(
        left.map((name) => now.get(name)?.pid),
        left.map((name) => pids.get(name)),
        "the same processes",
      );
    });

    await t.test("a rollback", async (t) => {
      await leave(daemon);
      const file = (at: string): string => path.join(dir, at);
      // What a later release may add, and an older one has never heard of.
      const later = (json: Json): void => void (json["later"] = { any: ["thing"] });
      for (const at of ["streams/fields.json", "memory/fields.json", "limits.json", "metrics.json"])
        edit(file(`state/${at}`), later);
      edit(file("run/runs/fields/run.json"), later);
      edit(file("state/streams/odd.json"), (json) => (json["spec"].mode = "later"));
      writeFileSync(
        path.join(previous.dir, "dist/runner.sh"),
        readFileSync(path.resolve(import.meta.dirname, "../../daemon/runner/runner.sh")),
      );
      daemon = await older();
      const known = ["keyed", "encoded", "fields", "plain"] as const;
      const now = await allLive(known);
      t.same(
        known.map((name) => now.get(name)?.pid),
        known.map((name) => pids.get(name)),
        "it adopts the same processes",
      );
      t.match(now.get("keyed"), { stopAt: STOP_AT, restarts: 0 });
      t.match(now.get("ended"), { state: "finished", lastExit: { reason: "end-of-input" } });
      t.match(await daemon.rpc("limits.get", {}), { perUser: 9, users: { nobody: 1 } });
      t.notOk(now.has("odd"), "what it does not know it does not show");
      t.ok(processOf(pids.get("odd") ?? 0), "and leaves it on the air");
      await daemon.rpc("stream.stop", { name: "plain" });
      await until(
        "it stops",
        async () => (await statuses(daemon)).get("plain")?.state === "stopped",
        10_000,
      );
      await daemon.rpc("stream.start", { name: "plain" });
      await allLive(["plain"]);
    });

    await t.test("and on again", async (t) => {
      await leave(daemon);
      const streams = path.join(dir, "state/streams");
      const aside = readdirSync(streams).find((name) => name.startsWith("odd.json.")) ?? "";
      // As docs/upgrading.md says: what an older release has set aside is put back.
      renameSync(path.join(streams, aside), path.join(streams, "odd.json"));
      edit(path.join(streams, "odd.json"), (json) => (json["spec"].mode = "auto"));
      daemon = await newer();
      const now = await allLive([...KEPT, "plain"]);
      t.same(
        KEPT.map((name) => now.get(name)?.pid),
        KEPT.map((name) => pids.get(name)),
        "the same processes all the time",
      );
    });

    const { streams } = await watch.stop();
    for (const name of KEPT) {
      const seen = streams.find((one) => one.name === name);
      t.equal(seen?.maxPublishers, 1, `${name}: never a second publisher`);
      t.same(seen?.absences, [], `${name}: never without its publisher`);
      t.equal(server.publishes(name).length, 1, `${name}: published once`);
      t.comment(`${name}: longest pause ${seen?.largestGapMs} ms`);
    }
    for (const name of ["keyed", "plain"]) await daemon.rpc("stream.stop", { name });
    const closed = await until(
      "the recordings are closed",
      () => {
        const all = [...server.publishes("keyed"), ...server.publishes("plain")];
        return all.every(({ endedMs }) => endedMs !== null) ? all : null;
      },
      15_000,
    );
    t.equal(closed.length, 3);
    const film = await packetHashes(input);
    for (const { name, file } of closed)
      t.ok(
        isContiguousPiece(await packetHashes(file ?? ""), film),
        `${name}: not one packet is lost`,
      );
  },
);
