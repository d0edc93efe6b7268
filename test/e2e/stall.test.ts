import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** From the receiver's stop; the promise is 15 s. */
const TOLD_WITHIN_MS = 15_000;
/** The promise is 2 s; the rest is for a machine that has other things to do. */
const PENDING_MS = 2_000 + 1_500;

t.test("a receiver that takes nothing", { timeout: 200_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const [srtPort = 0] = await freePorts(1);
  const listen = `srt://127.0.0.1:${srtPort}?mode=listener`;
  const srt = spawn("ffmpeg", ["-v", "error", "-i", listen, "-f", "null", "-"], {
    stdio: "ignore",
  });
  t.teardown(() => srt.kill("SIGKILL"));
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const statusOf = async (name: string): Promise<StreamStatus> => {
    const { streams } = await daemon.rpc("stream.status", { names: [name] });
    const [first] = streams;
    if (first === undefined) throw new Error(name);
    return first;
  };
  const narrow = await renderFilm({ seconds: 4, size: "160x90" });
  const wide = await renderFilm({ seconds: 4, size: "1280x720" });
  const inputs = { narrow, wide };
  const names = Object.keys(inputs);
  const add = async (name: string, input: string, to: string): Promise<void> => {
    const { code, stderr } = await daemon.cli("add", name, "--input", input, "--to", to, "--start");
    t.equal(code, 0, stderr);
  };
  for (const [name, input] of Object.entries(inputs))
    await add(name, input, `${server.url}/${name}`);
  await add("srt", narrow, `srt://127.0.0.1:${srtPort}`);
  const { code } = await daemon.cli("wait", ...names, "srt", "--for", "live", "--timeout", "30s");
  t.equal(code, 0, "all are live");

  t.test("a pause that ends in time is none", async (t) => {
    const before = await Promise.all(names.map(statusOf));
    await server.freeze();
    await pause(6_000);
    server.thaw();
    await pause(4_000);
    for (const { name, pid } of before) {
      t.match(await statusOf(name), { state: "live", health: "delivering", pid, restarts: 0 });
      t.equal(server.publishes(name).length, 1);
    }
  });

  t.test("it is told, FFmpeg replaced, and media flows soon after its return", async (t) => {
    await server.freeze();
    const frozen = performance.now();
    const stalled = async (name: string): Promise<number> => {
      const status = await until(
        `${name} is stalled`,
        async () => {
          const now = await statusOf(name);
          return now.health === "stalled" ? now : null;
        },
        30_000,
      );
      const after = performance.now() - frozen;
      t.not(status.state, "live", "and not shown as live");
      return after;
    };
    for (const [n, after] of (await Promise.all(names.map(stalled))).entries()) {
      t.comment(`${names[n]}: stalled after ${Math.round(after)} ms`);
      t.ok(after < TOLD_WITHIN_MS, `${names[n]}: told within 15 s`);
    }
    const { stdout, code: exit } = await daemon.cli("status", "wide");
    t.match(stdout, /stalled/);
    t.equal(exit, 3);
    const { entries } = await daemon.rpc("history.list", { names: ["wide"] });
    const remembered = entries.filter(({ kind, to }) => kind === "health" && to === "stalled");
    t.match(remembered, [{ message: /has taken nothing|stalled|nothing/ }], "and remembered, once");
    await until(
      "the next attempt is under way",
      async () => (await statusOf("wide")).state === "starting",
      20_000,
    );
    await pause(500);
    const before = await Promise.all(names.map(statusOf));
    const turns = names.map((name) => server.publishes(name).length);
    server.thaw();
    const thawed = Date.now();
    for (const [n, { name, state, retryAt }] of before.entries()) {
      const isPending = state === "starting";
      const dueMs = isPending ? 0 : Date.parse(retryAt ?? "") - thawed;
      const turn = await until(
        `${name} is published again`,
        () => server.publishes(name)[turns[n] ?? 0],
        15_000,
      );
      const tookMs = turn.startedMs - thawed;
      t.comment(`${name}: ${state}; publishing again after ${tookMs} ms`);
      t.ok(tookMs < Math.max(0, dueMs) + PENDING_MS, `${name}: ${tookMs} ms`);
      t.ok(dueMs <= 10_000, "no delay is longer in the first five minutes");
    }
    await daemon.cli("wait", ...names, "--for", "live", "--timeout", "20s");
    for (const name of names) {
      t.match(await statusOf(name), { state: "live", health: "delivering" });
      t.match((await statusOf(name)).lastExit?.message, /./);
      t.equal(server.mostAtOnce(name), 1, "never two publishers");
    }
    const told = daemon.events().filter(({ event }) => event === "stalled");
    t.same(new Set(told.map(({ stream }) => stream)), new Set(names));
  });

  t.test("SRT: by FFmpeg's progress alone, and status says so", async (t) => {
    const { health, outputs } = await statusOf("srt");
    t.match([health, outputs[0]], ["delivering", { healthBy: "progress", backlogBytes: null }]);
    t.match((await statusOf("wide")).outputs[0], { healthBy: "kernel" });
  });
});
