import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { output } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const statusOf = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [first] = streams;
  if (first === undefined) throw new Error(`no status of ${name}`);
  return first;
};

t.test("what cannot work is said before anything starts", { timeout: 60_000 }, async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const film = await renderFilm({ seconds: 4 });
  const place = t.testdir({ "text.mp4": "not a film\n", empty: "", "it's a dir": {} });
  const at = (name: string): string => path.join(place, name);
  const sound = ["-f", "lavfi", "-i", "sine=440:duration=2"];
  await output("ffmpeg", ["-v", "error", ...sound, "-c:a", "aac", at("sound.m4a")]);
  await output("ffmpeg", [
    "-v",
    "error",
    "-i",
    film,
    ...sound,
    "-map",
    "0:v",
    "-map",
    "1:a",
    "-c:v",
    "copy",
    "-c:a",
    "libopus",
    at("opus.mkv"),
  ]);
  writeFileSync(at("cut.mp4"), readFileSync(film).subarray(0, 20_000));
  spawnSync("mkfifo", [at("fifo")]);
  copyFileSync(film, at("-f lavfi 'x' %d;:.mp4"));
  const to = "rtmp://127.0.0.1:1/live";
  const rows: readonly [what: string, args: readonly string[], code: number, words: RegExp][] = [
    [
      "a missing input",
      ["x", "--input", at("none.mp4"), "--to", to],
      1,
      /none\.mp4 does not exist/,
    ],
    ["a directory", ["x", "--input", at("it's a dir"), "--to", to], 1, /it's a dir is a directory/],
    ["a FIFO", ["x", "--input", at("fifo"), "--to", to], 1, /fifo is/],
    ["a device", ["x", "--input", "/dev/zero", "--to", to], 1, /zero is/],
    ["an empty file", ["x", "--input", at("empty"), "--to", to], 1, /empty is empty/],
    ["a text called .mp4", ["x", "--input", at("text.mp4"), "--to", to], 1, /text\.mp4/],
    ["a truncated MP4", ["x", "--input", at("cut.mp4"), "--to", to], 1, /cut\.mp4/],
    ["sound alone", ["x", "--input", at("sound.m4a"), "--to", to], 1, /sound\.m4a/],
    [
      "Opus in FLV",
      ["x", "--input", at("opus.mkv"), "--to", to, "--mode", "copy"],
      1,
      /the sound of opus\.mkv is Opus, which FLV cannot carry/,
    ],
    [
      "a scheme that is none of ours",
      ["x", "--input", film, "--to", "https://127.0.0.1/live"],
      78,
      /rtmp:\/\//,
    ],
    ["a file as destination", ["x", "--input", film, "--to", "/tmp/out.flv"], 78, /rtmp:\/\//],
    ["an option as destination", ["x", "--input", film, "--to=-y"], 78, /rtmp:\/\//],
    ["a name with a slash", ["../x", "--input", film, "--to", to], 78, /cannot be a stream's name/],
    ["a name in capitals", ["Radio", "--input", film, "--to", to], 78, /cannot be a stream's name/],
    ["no destination", ["x", "--input", film], 2, /--to/],
  ];
  for (const [what, args, code, words] of rows) {
    const done = await daemon.cli("add", ...args);
    t.equal(done.code, code, `${what}: ${done.stderr}`);
    t.match(done.stderr, words, what);
    t.notMatch(done.stderr, /\n\s+at /, `${what}: no stack`);
  }
  t.same((await daemon.rpc("stream.status", {})).streams, [], "nothing was registered");
  const odd = await daemon.cli("add", "odd", "--input", at("-f lavfi 'x' %d;:.mp4"), "--to", to);
  t.equal(odd.code, 0, odd.stderr);
  t.match(await daemon.cli("add", "odd", "--input", film, "--to", to), {
    code: 78,
    stderr: /taken/,
  });
});

t.test("an input that goes, comes and changes", { timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { INPUT_RETRY_MS: "300" } });
  t.teardown(() => daemon.end());
  const place = t.testdir();
  const input = path.join(place, "it's %d on air.mp4");
  // Longer than the test: what lies there is not opened again meanwhile.
  copyFileSync(await renderFilm({ seconds: 90, size: "160x90" }), input);
  await daemon.cli("add", "film", "--input", input, "--to", `${server.url}/film`, "--start");
  t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s")).code, 0);
  const live = async (): Promise<boolean> => (await statusOf(daemon, "film")).state === "live";

  t.test("missing when the daemon starts, as on a late mount", async (t) => {
    await daemon.cli("daemon", "stop");
    await until("the daemon is gone", () => !daemon.running(), 10_000);
    renameSync(input, `${input}.away`);
    await daemon.start();
    await until(
      "it waits",
      async () => (await statusOf(daemon, "film")).lastError?.code === "input-missing",
      10_000,
    );
    t.equal((await statusOf(daemon, "film")).state, "backoff");
    renameSync(`${input}.away`, input);
    await until("it is on the air by itself", live, 10_000);
  });

  t.test("missing when an operator starts it", async (t) => {
    await daemon.cli("stop", "film", "--wait");
    renameSync(input, `${input}.away`);
    t.match(await daemon.cli("start", "film"), { code: 1, stderr: /does not exist/ });
    t.equal((await statusOf(daemon, "film")).state, "stopped");
    renameSync(`${input}.away`, input);
    t.equal((await daemon.cli("start", "film", "--wait")).code, 0);
  });

  t.test("replaced under the live stream by something that is no film: it goes on", async (t) => {
    const { pid } = await statusOf(daemon, "film");
    renameSync(input, `${input}.away`);
    writeFileSync(input, "this is no film\n");
    await until("it is said", () => /cannot be played/.test(daemon.log()), 40_000);
    t.match(await statusOf(daemon, "film"), { state: "live", pid });
    renameSync(`${input}.away`, input);
  });

  t.test("replaced by another film: a planned restart, from its beginning", async (t) => {
    await until("live", live, 20_000);
    const { pid } = await statusOf(daemon, "film");
    copyFileSync(await renderFilm({ seconds: 7, fps: 30 }), `${input}.new`);
    renameSync(`${input}.new`, input);
    const after = await until(
      "a fresh process is live",
      async () => {
        const now = await statusOf(daemon, "film");
        return now.state === "live" && now.pid !== pid && now.position?.durationMs === 7_000
          ? now
          : null;
      },
      40_000,
    );
    t.match(after, { state: "live" });
    t.equal(server.mostAtOnce("film"), 1);
  });
});

t.test("a runtime directory that was full once", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const runtime = path.join(t.testdir(), "run");
  mkdirSync(runtime);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", runtime]);
  if (mounted.status !== 0) {
    t.pass("skipped: this user may not mount a small file system");
    return;
  }
  t.teardown(() => spawnSync("umount", ["-l", runtime]));
  const daemon = await startDaemon({
    env: { STREAMBRO_RUNTIME_DIR: runtime, START_TIMEOUT_MS: "5000" },
  });
  t.teardown(() => daemon.end());
  await daemon.cli(
    "add",
    "film",
    "--input",
    await renderFilm({ seconds: 10 }),
    "--to",
    `${server.url}/film`,
    "--start",
  );
  await until("live", async () => (await statusOf(daemon, "film")).state === "live", 20_000);
  const { pid } = await statusOf(daemon, "film");
  await daemon.kill("SIGKILL");
  const progress = path.join(runtime, "runs/film/progress");
  spawnSync("dd", ["if=/dev/zero", `of=${path.join(runtime, "filler")}`, "bs=4k"], {
    stdio: "ignore",
  });
  writeFileSync(progress, "");
  spawnSync("dd", ["if=/dev/zero", `of=${path.join(runtime, "filler2")}`, "bs=512"], {
    stdio: "ignore",
  });
  await daemon.start();
  const taken = Date.now();
  await until("longer than a start may take", () => Date.now() - taken > 8_000, 12_000);
  t.match(
    await statusOf(daemon, "film"),
    { pid, state: "live", restarts: 0 },
    "what delivers is left alone",
  );
  t.equal(server.publishes("film").length, 1);
  spawnSync("rm", ["-f", path.join(runtime, "filler"), path.join(runtime, "filler2")]);
});
