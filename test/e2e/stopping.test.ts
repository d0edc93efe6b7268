import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { command, output } from "../helpers/command.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { film } from "../helpers/film.ts";
import { leftovers, processOf } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const FORCE_KILL_MS = 3_000;

/** A film whose bitrate fills the sockets' buffers in moments: twelve megabits a second. */
const heavyFilm = async (directory: string): Promise<string> => {
  const file = path.join(directory, "heavy.mp4");
  const picture = "testsrc2=s=1280x720:r=25,noise=alls=60:allf=t";
  await output("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440", "-t", "4"],
    ..."-c:v libx264 -preset ultrafast -b:v 12M -maxrate 12M -bufsize 12M -g 50 -c:a aac".split(
      " ",
    ),
    file,
  ]);
  return file;
};

t.test("stopping", { timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { FORCE_KILL_TIMEOUT_MS: String(FORCE_KILL_MS) } });
  t.teardown(() => daemon.end());
  const directory = mkdtempSync(path.join(os.tmpdir(), "sb-heavy-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const state = async (name: string): Promise<string | undefined> =>
    (await daemon.rpc("stream.status", { names: [name] })).streams[0]?.state;

  t.test("Test force kill mechanism with stuck process", async (t) => {
    await daemon.cli(
      "add",
      "heavy",
      "--input",
      await heavyFilm(directory),
      "--to",
      `${server.url}/heavy`,
    );
    await daemon.cli("start", "heavy", "--wait");
    const pid = (await daemon.rpc("stream.status", { names: ["heavy"] })).streams[0]?.pid ?? 0;
    await server.freeze();
    let held = -1;
    let still = 0;
    await until(
      "FFmpeg is stuck in a write: what it wrote no longer grows",
      async () => {
        await pause(400);
        const before = held;
        held = await notSent(pid);
        // The kernel makes room in steps: it may stand still for a moment and go on.
        still = held > 100_000 && held === before ? still + 1 : 0;
        return still >= 4;
      },
      30_000,
    );
    const begun = performance.now();
    const stopped = await daemon.cli("stop", "heavy", "--wait");
    const tookMs = performance.now() - begun;
    server.thaw();
    t.equal(stopped.code, 0, stopped.stderr);
    t.ok(tookMs < FORCE_KILL_MS + 1_000, `stopped in ${tookMs.toFixed(0)} ms`);
    t.equal(processOf(pid), null, "the process is gone");
    const event = daemon.events().find((entry) => entry["event"] === "FORCE_KILL_REQUIRED");
    t.match(event, {
      level: "error",
      msg: "Stream heavy did not respond to SIGTERM, force killing",
    });
  });

  t.test("FFmpeg suspended by somebody is stopped gracefully", async (t) => {
    await daemon.cli("add", "film", "--input", await film(), "--to", `${server.url}/film`);
    await daemon.cli("start", "film", "--wait");
    const pid = (await daemon.rpc("stream.status", { names: ["film"] })).streams[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    await until(
      "status says so",
      async () =>
        (await daemon.rpc("stream.status", { names: ["film"] })).streams[0]?.note?.includes(
          "SIGSTOP",
        ),
      5_000,
    );
    const begun = performance.now();
    t.equal((await daemon.cli("stop", "film", "--wait")).code, 0);
    t.ok(performance.now() - begun < FORCE_KILL_MS + 1_000);
    t.equal(processOf(pid), null);
  });

  t.test("stop and start are idempotent, and a stop overtakes a start", async (t) => {
    t.match(await daemon.cli("stop", "film"), { code: 0, stderr: /already stopped/ });
    const [start, stop] = await Promise.all([
      daemon.cli("start", "film"),
      daemon.cli("stop", "film"),
    ]);
    t.same([start.code, stop.code], [0, 0]);
    await daemon.cli("stop", "film", "--wait");
    t.equal(await state("film"), "stopped");
    await daemon.cli("start", "film", "--wait");
    t.match(await daemon.cli("start", "film"), { code: 0, stderr: /already live/ });
    const { pid } = (await daemon.rpc("stream.status", { names: ["film"] })).streams[0] ?? {};
    await daemon.cli("restart", "film", "--wait");
    t.not((await daemon.rpc("stream.status", { names: ["film"] })).streams[0]?.pid, pid);
    t.equal(server.mostAtOnce("film"), 1);
  });

  t.test("the daemon ends and leaves the streams on the air", async (t) => {
    const { pid } = (await daemon.rpc("stream.status", { names: ["film"] })).streams[0] ?? {};
    const turns = server.publishes("film").length;
    t.equal((await daemon.cli("daemon", "stop", "--keep-streams")).code, 0);
    await until("the daemon is gone", () => !daemon.running(), 5_000);
    t.equal((await daemon.cli("status")).code, 69);
    await daemon.start();
    t.match((await daemon.rpc("stream.status", { names: ["film"] })).streams[0], {
      pid,
      state: "live",
    });
    t.equal(server.publishes("film").length, turns, "without a new publisher");
  });

  t.test("daemon stop stops the streams, and the next daemon starts them again", async (t) => {
    t.equal((await daemon.cli("daemon", "stop")).code, 0);
    await until("the daemon is gone", () => !daemon.running(), 10_000);
    t.same(leftovers(daemon.stateDir), [], "nothing runs");
    await daemon.start();
    t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s")).code, 0);
    t.equal(await state("heavy"), "stopped", "what was stopped stays so");
  });

  t.test("logs -f ends when its reader has gone, though nothing is logged", async (t) => {
    const bin = path.resolve(import.meta.dirname, "../../bin/streambro");
    const line = `'${bin}' logs film -f | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const done = await command("bash", ["-c", line], { env: daemon.env, timeoutMs: 15_000 });
    t.match(done, { code: 0, stdout: "0\n", stderr: "" });
  });

  t.test("to its end, when it is not to loop", async (t) => {
    await daemon.cli(
      "add",
      "once",
      "--input",
      path.join(directory, "heavy.mp4"),
      "--to",
      `${server.url}/once`,
      "--no-loop",
    );
    t.equal((await daemon.cli("start", "once", "--wait")).code, 0);
    await until("it is finished", async () => (await state("once")) === "finished", 15_000);
    t.match((await daemon.rpc("stream.status", { names: ["once"] })).streams[0], {
      desired: "stopped",
      restarts: 0,
      lastExit: { code: 0, reason: "end-of-input" },
    });
    t.match(
      await daemon.cli("start", "once", "--wait"),
      { code: 0 },
      "and begins again when it is started",
    );
  });
});

/** Bytes that FFmpeg has written and the kernel still holds. */
const notSent = async (pid: number): Promise<number> => {
  const lines = (await output("ss", ["-tinpHO"]))
    .split("\n")
    .filter((line) => line.includes(`pid=${pid},`));
  return Math.max(0, ...lines.map((line) => Number(/notsent:(\d+)/.exec(line)?.[1] ?? 0)));
};
