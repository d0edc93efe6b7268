import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const NAMES = ["a", "b", "c", "d"];

const statesOf = async (daemon: Daemon): Promise<string[]> => {
  const { streams } = await daemon.rpc("stream.status", {});
  return streams.map(({ name, state }) => `${name} ${state}`);
};

const pidsOf = async (daemon: Daemon): Promise<Record<string, number | null>> => {
  const { streams } = await daemon.rpc("stream.status", {});
  return Object.fromEntries(streams.map(({ name, pid }) => [name, pid]));
};

t.test("Test concurrent stream limiting end-to-end", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const limits = {
    MAX_CONCURRENT_STREAMS_PER_USER: "2",
    MAX_CONCURRENT_STREAMS_GLOBAL: "3",
  };
  const daemon = await startDaemon({ env: limits });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  for (const name of NAMES)
    await daemon.cli("add", name, "--input", input, "--to", `${server.url}/${name}`);

  await t.test("many starts at once never pass the limit", async (t) => {
    const starts = NAMES.flatMap((name) => Array.from({ length: 5 }, () => name));
    const outcomes = await Promise.allSettled(
      starts.map((name) => daemon.rpc("stream.start", { name })),
    );
    t.ok(outcomes.some(({ status }) => status === "rejected"));
    const holding = (await statesOf(daemon)).filter((line) => !line.endsWith(" stopped"));
    t.equal(holding.length, 2, holding.join(", "));
  });

  await t.test("a refusal says how many, and which status", async (t) => {
    await daemon.cli("stop", "--all", "--wait");
    t.equal((await daemon.cli("start", "a", "b", "--wait")).code, 0);
    const refused = await daemon.cli("start", "c");
    t.equal(refused.code, 75);
    t.match(refused.stderr, /^c: not started: maximum 2 concurrent streams reached for /i);
    const counts = { userCount: 2, userLimit: 2, globalCount: 2, globalLimit: 3 };
    const error: unknown = await daemon.rpc("stream.start", { name: "c" }).catch((e: unknown) => e);
    t.match(error, { data: { httpStatus: 429, ...counts } });
    t.match(
      daemon.events().findLast(({ event }) => event === "STREAM_LIMIT_EXCEEDED"),
      { level: "warn", stream: "c", ...counts },
    );
    t.match(await statesOf(daemon), ["a live", "b live", "c stopped", "d stopped"]);
    t.equal((await daemon.cli("start", "a")).code, 0, "what runs needs no second slot");
  });

  await t.test("a retry keeps its slot", async (t) => {
    server.reject((name) => name === "b");
    process.kill((await pidsOf(daemon))["b"] ?? 0, "SIGKILL");
    await until(
      "b waits to try again",
      async () => (await statesOf(daemon)).includes("b backoff"),
      10_000,
    );
    t.equal((await daemon.cli("start", "c")).code, 75);
    server.reject(() => false);
    await until("b is back", async () => (await statesOf(daemon)).includes("b live"), 30_000);
  });

  await t.test("adopted streams hold theirs, also past a lowered limit", async (t) => {
    const before = await pidsOf(daemon);
    t.equal((await daemon.cli("limits", "set", "--per-user", "1")).code, 0);
    t.same(await pidsOf(daemon), before, "lowering ends nothing");
    await daemon.restart("SIGKILL");
    t.same(await pidsOf(daemon), before, "nor does another daemon, which still knows the limit");
    t.equal((await daemon.cli("start", "c")).code, 75);
  });

  await t.test("fewer slots than streams that should run: the rest wait", async (t) => {
    await daemon.restart("SIGTERM");
    await until("a is back", async () => (await statesOf(daemon)).includes("a live"), 10_000);
    t.match(await statesOf(daemon), ["a live", "b waiting", "c stopped", "d stopped"]);
    const { streams } = await daemon.rpc("stream.status", { names: ["b"] });
    t.match(streams[0], { desired: "running", lastError: { code: "STREAM_LIMIT_EXCEEDED" } });
    t.equal((await daemon.cli("start", "b")).code, 75, "it cannot be asked for either");
    await daemon.cli("stop", "a", "--wait");
    await until("b starts", async () => (await statesOf(daemon)).includes("b live"), 10_000);
  });

  await t.test("a raised limit lets in who waits, by name", async (t) => {
    await daemon.cli("limits", "set", "--per-user", "3");
    await daemon.cli("start", "c", "d", "--wait");
    await daemon.cli("limits", "set", "--per-user", "1");
    await daemon.restart("SIGTERM");
    t.match(await statesOf(daemon), ["a stopped", /^b /, "c waiting", "d waiting"]);
    await daemon.cli("limits", "set", "--per-user", "default");
    await until("c is let in", async () => (await statesOf(daemon)).includes("c live"), 10_000);
    t.ok((await statesOf(daemon)).includes("d waiting"));
    t.equal((await daemon.cli("stop", "d")).code, 0);
    t.ok((await statesOf(daemon)).includes("d stopped"), "what waits can be stopped");
  });
});

t.test("Test memory cleanup after stream stop", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  await daemon.cli("add", "film", "--input", input, "--to", `${server.url}/film`, "--start");
  await server.waitForPublisher("film", 10_000);
  const run = path.join(daemon.runtimeDir, "runs/film");
  t.ok(readdirSync(run).includes("output-0.ffpreset"), "while it runs its key is in a file");
  await daemon.cli("stop", "film", "--wait");
  await until("the run directory is gone", () => !existsSync(run), 5_000);
  const event = await until(
    "the cleanup is logged",
    () => daemon.events().find((entry) => entry["event"] === "cleanup"),
    5_000,
  );
  t.match(event, { level: "info", stream: "film", files: Number, bytes: Number });
  t.ok(Number(event["bytes"]) > 0, `${String(event["bytes"])} bytes`);
  t.match(await daemon.cli("logs", "film"), { code: 0, stdout: /\S/ }, "its log stays readable");
  const { streams } = await daemon.rpc("stream.status", { names: ["film"] });
  t.match(streams[0], { usage: null, pid: null, progress: null });
});
