import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { command } from "../helpers/command.ts";
import { awayFromBoundary } from "../helpers/boundary.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film, renderFilm } from "../helpers/film.ts";
import { processOf, processes } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const statusOf = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [first] = streams;
  if (first === undefined) throw new Error(`no status of ${name}`);
  return first;
};

const runnerPid = (daemon: Daemon, name: string): number =>
  Number(readFileSync(path.join(daemon.runtimeDir, "runs", name, "pids"), "utf8").split(" ")[0]);

t.test("the processes are meddled with", { timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await renderFilm({ seconds: 4 });
  const runDirectory = path.join(daemon.runtimeDir, "runs/film");
  await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`, "--start");
  await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s");
  const pid = (await statusOf(daemon, "film")).pid ?? 0;

  t.test("the run directory is removed under a live stream", async (t) => {
    rmSync(runDirectory, { recursive: true, force: true });
    await until(
      "it is laid out again",
      () => readdirSync(runDirectory).includes("run.json"),
      5_000,
    );
    const { cycle = 0 } = (await statusOf(daemon, "film")).position ?? {};
    await until(
      "two more loop boundaries are crossed",
      async () => ((await statusOf(daemon, "film")).position?.cycle ?? 0) >= cycle + 2,
      20_000,
    );
    t.match(await statusOf(daemon, "film"), { state: "live", pid, restarts: 0 });
    t.equal(server.publishes("film").length, 1, "one publisher throughout");
  });

  t.test(
    "the runner alone is killed: FFmpeg stays on the air, and nothing else comes",
    async (t) => {
      await daemon.cli("restart", "film", "--wait");
      const before = await statusOf(daemon, "film");
      process.kill(runnerPid(daemon, "film"), "SIGKILL");
      await until(
        "status says so",
        async () => /unattended/.test((await statusOf(daemon, "film")).note ?? ""),
        5_000,
      );
      t.match(await statusOf(daemon, "film"), { state: "live", pid: before.pid });
      await daemon.restart("SIGKILL");
      t.match(await statusOf(daemon, "film"), {
        state: "live",
        pid: before.pid,
        note: /unattended/,
      });
      const turns = server.publishes("film").length;
      process.kill(before.pid ?? 0, "SIGKILL");
      await until(
        "its successor publishes",
        () => server.publishes("film").length === turns + 1,
        10_000,
      );
      const after = await until(
        "it is live",
        async () =>
          (await statusOf(daemon, "film")).state === "live" ? statusOf(daemon, "film") : null,
        10_000,
      );
      t.match(
        after.lastExit,
        { code: null, signal: null, reason: "unknown" },
        "how it ended is not known, and not 0",
      );
      t.equal(server.mostAtOnce("film"), 1);
    },
  );

  t.test("the runner is suspended: a dead FFmpeg is noticed all the same", async (t) => {
    const before = await statusOf(daemon, "film");
    process.kill(runnerPid(daemon, "film"), "SIGSTOP");
    await until(
      "status says so",
      async () => /suspended/.test((await statusOf(daemon, "film")).note ?? ""),
      5_000,
    );
    process.kill(before.pid ?? 0, "SIGKILL");
    const after = await until(
      "it is live again",
      async () => {
        const now = await statusOf(daemon, "film");
        return now.state === "live" && now.pid !== before.pid ? now : null;
      },
      15_000,
    );
    t.match(after.lastExit, { signal: "SIGKILL" });
    t.equal(server.mostAtOnce("film"), 1);
  });

  t.test("runner and FFmpeg are killed at once", async (t) => {
    const before = await statusOf(daemon, "film");
    process.kill(runnerPid(daemon, "film"), "SIGKILL");
    process.kill(before.pid ?? 0, "SIGKILL");
    await until(
      "it is live again",
      async () => {
        const now = await statusOf(daemon, "film");
        return now.state === "live" && now.pid !== before.pid;
      },
      15_000,
    );
    t.equal(server.mostAtOnce("film"), 1);
  });

  t.test(
    "one record of the run is damaged, and then the other: it is known all the same",
    async (t) => {
      const { pid } = await statusOf(daemon, "film");
      await daemon.kill("SIGKILL");
      writeFileSync(path.join(runDirectory, "run.json"), '{"version":1,');
      await daemon.start();
      t.match(await statusOf(daemon, "film"), { state: "live", pid }, "by what is remembered");
      await daemon.kill("SIGKILL");
      writeFileSync(path.join(daemon.stateDir, "memory/film.json"), "\u0000{]");
      await daemon.start();
      const now = await statusOf(daemon, "film");
      t.equal(now.pid, pid, "by the record in its run directory, which was written anew");
      t.not(now.state, "foreign");
    },
  );

  t.test(
    "everything about the run is lost while the daemon is down: no second publisher",
    async (t) => {
      const before = await statusOf(daemon, "film");
      const turns = server.publishes("film").length;
      await awayFromBoundary(daemon);
      await daemon.kill("SIGKILL");
      rmSync(daemon.runtimeDir, { recursive: true, force: true });
      rmSync(path.join(daemon.stateDir, "memory"), { recursive: true, force: true });
      await daemon.start();
      t.match(await statusOf(daemon, "film"), { state: "foreign", note: /cannot be read/ });
      t.match(await daemon.cli("start", "film"), { code: 1, stderr: /film: .*on the air/ });
      t.match(await daemon.cli("stop", "film"), { code: 1 });
      t.match(await daemon.cli("rm", "film"), { code: 1 });
      t.ok(processOf(before.pid ?? 0), "it is left alone");
      t.equal(server.publishes("film").length, turns);
      process.kill(before.pid ?? 0, "SIGTERM");
      await until(
        "the stream is free again",
        async () => (await statusOf(daemon, "film")).state !== "foreign",
        15_000,
      );
    },
  );
});

t.test("two of something", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await film();

  t.test("a second daemon on the same state refuses, and says who has it", async (t) => {
    const bin = path.resolve(import.meta.dirname, "../../bin/streambrod");
    const second = await command(bin, [], {
      env: { ...daemon.env, STREAMBRO_SOCKET: `${daemon.dir}/s2` },
    });
    t.equal(second.code, 1);
    t.match(second.stderr, `pid ${daemon.pid()}`);
    const third = await command(bin, [], {
      env: {
        ...daemon.env,
        STREAMBRO_STATE_DIR: `${daemon.dir}/other`,
        STREAMBRO_RUNTIME_DIR: `${daemon.dir}/other-run`,
      },
    });
    t.equal(third.code, 1);
    t.match(third.stderr, /answers at/);
    t.match(await daemon.cli("daemon", "status"), { code: 0 }, "the first one goes on");
  });

  t.test("a stale socket is replaced", async (t) => {
    await daemon.restart("SIGKILL");
    t.equal((await daemon.cli("ls")).code, 0);
  });

  t.test("starts at once", async (t) => {
    await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`);
    const starts = await Promise.all(
      Array.from({ length: 10 }, () => daemon.rpc("stream.start", { name: "film" })),
    );
    t.equal(starts.filter(({ changed }) => changed).length, 1, "one of them started it");
    await server.waitForPublisher("film", 10_000);
    t.equal(server.publishes("film").length, 1);
  });

  t.test("streams with one destination and key may exist, and never run at once", async (t) => {
    t.equal(
      (await daemon.cli("add", "night", "--input", source, "--to", `${server.url}/film`)).code,
      0,
    );
    t.match(await daemon.cli("start", "night"), {
      code: 1,
      stderr: /night: not started: film is sending/,
    });
    await daemon.cli("stop", "film", "--wait");
    t.match(await daemon.cli("start", "night", "--wait"), { code: 0 });
    t.match(await daemon.cli("start", "film"), { code: 1 });
    t.equal(server.mostAtOnce("film"), 1);
  });
});

t.test("the receiver is not there", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await film();
  await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`);
  await server.kill();
  const started = await daemon.cli("start", "film", "--wait", "--timeout", "3s");
  t.equal(started.code, 124, "waiting runs out");
  await until(
    "it waits to try again",
    async () => (await statusOf(daemon, "film")).state === "backoff",
    10_000,
  );
  t.match(await statusOf(daemon, "film"), {
    desired: "running",
    retryAt: String,
    lastExit: {
      code: 1,
      reason: "connection-refused",
      message: /127\.0\.0\.1:\d+ refused the connection/,
    },
    lastError: { code: "connection-refused" },
  });

  t.test("backoff outlives the daemon", async (t) => {
    await until(
      "some failures",
      async () => (await statusOf(daemon, "film")).restarts >= 3,
      20_000,
    );
    const { restarts } = await statusOf(daemon, "film");
    await daemon.restart("SIGKILL");
    t.ok((await statusOf(daemon, "film")).restarts >= restarts, "the count goes on");
  });

  t.test("it comes back", async (t) => {
    await server.restart();
    const begun = performance.now();
    await server.waitForPublisher("film", 15_000);
    t.ok(performance.now() - begun < 12_000, "within the delay of a young outage");
  });

  t.test("rm during backoff", async (t) => {
    await server.kill();
    await until(
      "backoff",
      async () => (await statusOf(daemon, "film")).state === "backoff",
      20_000,
    );
    t.equal((await daemon.cli("rm", "film")).code, 0);
    t.match(await daemon.cli("status", "film"), { code: 4 });
    t.same(
      processes().filter(({ environment }) =>
        environment.some((one) => one.startsWith(`STREAMBRO_RUN=${daemon.stateDir}`)),
      ),
      [],
    );
    const files = ["streams", "keys", "memory", "locks", "logs"].flatMap((folder) =>
      readdirSync(path.join(daemon.stateDir, folder)),
    );
    t.same(files, [], "and nothing is left of it");
  });
});

t.test("the disk and what is on it", { timeout: 60_000 }, async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await film();
  const add = async (name: string): ReturnType<Daemon["cli"]> =>
    daemon.cli("add", name, "--input", source, "--to", `rtmp://127.0.0.1:1/live/${name}`);
  await add("first");
  await add("second");
  const spec = path.join(daemon.stateDir, "streams/first.json");

  t.test("a state file cut in half is set aside and reported", async (t) => {
    await daemon.kill("SIGTERM");
    const whole = readFileSync(spec, "utf8");
    writeFileSync(spec, whole.slice(0, whole.length / 2));
    await daemon.start();
    const { streams } = await daemon.rpc("stream.status", {});
    t.same(
      streams.map(({ name }) => name),
      ["second"],
      "the others are there",
    );
    const aside = readdirSync(path.dirname(spec)).filter((file) =>
      file.startsWith("first.json.unreadable-"),
    );
    t.equal(aside.length, 1);
    t.equal(
      readFileSync(path.join(path.dirname(spec), aside[0] ?? ""), "utf8"),
      whole.slice(0, whole.length / 2),
      "nothing of it is lost",
    );
    t.match(
      (await daemon.rpc("daemon.status", {})).warnings.join(" "),
      /first\.json could not be read/,
    );
    t.equal((await add("first")).code, 0, "the name is free");
  });

  const small = path.join(daemon.dir, "small");
  mkdirSync(small);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
  const why = "a full disk: this user may not mount a small file system";
  t.test("a full disk while saving", { skip: mounted.status === 0 ? false : why }, async (t) => {
    const other = await startDaemon({ env: { STREAMBRO_STATE_DIR: small } });
    t.teardown(async () => {
      await other.end();
      execFileSync("umount", [small]);
    });
    await other.cli("add", "kept", "--input", source, "--to", "rtmp://127.0.0.1:1/live/kept");
    const before = readFileSync(path.join(small, "streams/kept.json"), "utf8");
    const filler = path.join(small, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"], { stdio: "ignore" });
    t.match(
      await other.cli("add", "lost", "--input", source, "--to", "rtmp://127.0.0.1:1/live/lost"),
      { code: 1, stderr: /disk is full/ },
    );
    t.match(await other.cli("set", "kept", "--no-loop"), { code: 1, stderr: /disk is full/ });
    t.match(await other.cli("start", "kept"), { code: 1, stderr: /disk is full/ });
    t.equal(
      readFileSync(path.join(small, "streams/kept.json"), "utf8"),
      before,
      "what was there is there",
    );
    t.same(
      (await other.rpc("stream.status", {})).streams.map(({ name, state }) => [name, state]),
      [["kept", "stopped"]],
    );
    t.same(readdirSync(path.join(small, "streams")), ["kept.json"], "and no temporary file");
    rmSync(filler);
    t.equal((await other.cli("set", "kept", "--no-loop")).code, 0, "with room it works again");
  });
});

t.test("clients that misbehave", { timeout: 30_000 }, async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const half = connect(daemon.socket);
  half.on("error", () => {});
  half.write('{"jsonrpc":"2.0","id":1,"method":"stream.st');
  half.end();
  const answer = async (line: string): Promise<string> => {
    const socket = connect(daemon.socket);
    socket.setEncoding("utf8");
    socket.write(`${line}\n`);
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.endsWith("\n")) break;
    }
    socket.destroy();
    return text;
  };
  t.match(JSON.parse(await answer("nonsense")), { error: { code: -32_700 }, id: null });
  t.match(JSON.parse(await answer("[null]")), [{ error: { code: -32_600 } }]);
  t.match(JSON.parse(await answer("x".repeat(2_000_000))), {
    error: { code: -32_600, message: /at most/ },
  });
  t.match(JSON.parse(await answer('{"jsonrpc":"2.0","id":7,"method":"rpc.discover"}')), {
    id: 7,
    result: { openrpc: /^1\./ },
  });
  t.match(await daemon.cli("ls"), { code: 0 });
});
