import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film, renderFilm } from "../helpers/film.ts";
import { leftovers, processOf } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const statusOf = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [first] = streams;
  if (first === undefined) throw new Error(`no status of ${name}`);
  return first;
};

const pushers = (daemon: Daemon): number =>
  leftovers(daemon.stateDir).filter(({ argv }) => argv[0] === "ffmpeg").length;

t.test("commands that meet", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await film();
  const add = async (name: string, key = name): Promise<void> => {
    const { code, stderr } = await daemon.cli(
      "add",
      name,
      "--input",
      source,
      "--to",
      `${server.url}/${key}`,
    );
    if (code !== 0) throw new Error(stderr);
  };
  const live = async (name: string): Promise<void> => {
    const { code, stderr } = await daemon.cli("start", name, "--wait");
    if (code !== 0) throw new Error(stderr);
  };

  t.test("start, restart and set while rm waits for the end find no stream", async (t) => {
    await add("gone");
    await live("gone");
    const outcomes = await Promise.allSettled([
      daemon.rpc("stream.remove", { name: "gone" }),
      daemon.rpc("stream.start", { name: "gone" }),
      daemon.rpc("stream.restart", { name: "gone" }),
      daemon.rpc("stream.set", { name: "gone", loop: false }),
    ]);
    t.same(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "rejected"],
    );
    t.equal(pushers(daemon), 0, "nothing was left on the air");
    t.same(readdirSync(path.join(daemon.stateDir, "streams")), []);
  });

  t.test("a start that came before rm does not keep it from ending", async (t) => {
    await add("brief");
    const outcomes = await Promise.allSettled([
      daemon.rpc("stream.start", { name: "brief" }),
      daemon.rpc("stream.remove", { name: "brief" }),
    ]);
    t.equal(outcomes[1]?.status, "fulfilled");
    t.equal(pushers(daemon), 0);
  });

  t.test("fifty clients at once", async (t) => {
    await add("busy");
    const commands = ["stream.start", "stream.stop", "stream.restart"] as const;
    const all = Array.from({ length: 50 }, async (_, n) =>
      daemon.rpc(commands[n % 3] ?? "stream.stop", { name: "busy" }),
    );
    const outcomes = await Promise.allSettled(all);
    t.same(
      outcomes.filter(({ status }) => status === "rejected"),
      [],
    );
    await daemon.cli("stop", "busy", "--wait");
    t.equal((await statusOf(daemon, "busy")).state, "stopped");
    t.equal(pushers(daemon), 0);
    t.equal(server.mostAtOnce("busy") <= 1, true, "never two at once");
    t.equal((await daemon.cli("rm", "busy")).code, 0);
  });

  t.test("a running stream keeps its destination to itself after a change", async (t) => {
    await add("first", "shared");
    await live("first");
    await daemon.cli("set", "first", "--to", `${server.url}/elsewhere`);
    await add("second", "shared");
    t.match(await daemon.cli("start", "second"), { code: 1, stderr: /first is sending/ });
    await daemon.restart("SIGKILL");
    t.match(
      await daemon.cli("start", "second"),
      { code: 1, stderr: /first is sending/ },
      "the next daemon knows it too",
    );
    await daemon.cli("restart", "first", "--wait");
    t.match(await daemon.cli("start", "second", "--wait"), { code: 0 });
    t.equal(server.mostAtOnce("shared"), 1);
  });

  t.test("a stop that was saved holds, whatever else was", async (t) => {
    await add("saved");
    await server.kill();
    await daemon.cli("start", "saved");
    await until(
      "backoff",
      async () => (await statusOf(daemon, "saved")).state === "backoff",
      15_000,
    );
    await daemon.kill("SIGKILL");
    const file = path.join(daemon.stateDir, "streams/saved.json");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace('"desired": "running"', '"desired": "stopped"'),
    );
    await daemon.start();
    t.match(await statusOf(daemon, "saved"), { state: "stopped", desired: "stopped" });
    await server.restart();
  });
});

t.test("a marker proves nothing", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  await daemon.cli("add", "film", "--input", await film(), "--to", `${server.url}/film`);
  const impostor = spawn("sleep", ["60"], {
    detached: true,
    stdio: "ignore",
    env: { PATH: process.env["PATH"], STREAMBRO_RUN: path.join(daemon.stateDir, "locks/film") },
  });
  t.teardown(() => impostor.kill("SIGKILL"));
  t.match(
    await daemon.cli("start", "film", "--wait"),
    { code: 0 },
    "it keeps nobody from starting",
  );
  const { pid } = await statusOf(daemon, "film");
  await daemon.restart("SIGKILL");
  t.equal((await statusOf(daemon, "film")).pid, pid, "and is not taken for the stream");
  await daemon.cli("stop", "film", "--wait");
  t.equal(impostor.exitCode, null, "nor is it signalled");
  t.equal(processOf(pid ?? 0), null);
});

t.test("an ffmpeg that is a script with children of its own", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const tools = t.testdir();
  const wrapper = path.join(tools, "ffmpeg");
  writeFileSync(
    wrapper,
    '#!/bin/sh\n[ "$1" = -version ] && exec /usr/bin/ffmpeg "$@"\nsleep 3600 &\n/usr/bin/ffmpeg "$@"\n',
  );
  chmodSync(wrapper, 0o755);
  const daemon = await startDaemon({ env: { FFMPEG_PATH: wrapper } });
  t.teardown(() => daemon.end());
  await daemon.cli(
    "add",
    "film",
    "--input",
    await renderFilm({ seconds: 4 }),
    "--to",
    `${server.url}/film`,
    "--start",
  );
  await server.waitForPublisher("film", 10_000);
  const { pid } = await statusOf(daemon, "film");
  rmSync(daemon.runtimeDir, { recursive: true, force: true });
  await daemon.restart("SIGKILL");
  t.equal((await statusOf(daemon, "film")).pid, pid, "the leader of the group is adopted");
  t.equal(server.publishes("film").length, 1);
});

t.test("FFmpeg's report file, asked for in the daemon's environment, is not written", async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const reports = t.testdir();
  mkdirSync(path.join(reports, "r"));
  const daemon = await startDaemon({ env: { FFREPORT: `file=${reports}/r/report.log:level=48` } });
  t.teardown(() => daemon.end());
  await daemon.cli(
    "add",
    "film",
    "--input",
    await film(),
    "--to",
    `${server.url}/hidden-key-1`,
    "--start",
  );
  await server.waitForPublisher("hidden-key-1", 10_000);
  const written = readdirSync(path.join(reports, "r")).map((file) =>
    readFileSync(path.join(reports, "r", file), "utf8"),
  );
  t.notOk(written.some((text) => text.includes("hidden-key-1")));
});
