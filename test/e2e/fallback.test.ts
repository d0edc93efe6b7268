import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { command, output } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { type RtmpServer, startRtmpServer } from "../helpers/rtmp-server.ts";

/** An FFmpeg that claims a working NVENC when it is tried, and fails with it from then on. */
const nvencThatFails = async (t: Test): Promise<{ PATH: string; runs: () => number }> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-nvenc-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const real = (await output("sh", ["-c", "command -v ffmpeg"])).trim();
  const tally = path.join(dir, "runs");
  writeFileSync(tally, "");
  const script = `#!/bin/sh
case " $* " in
*" h264_nvenc "*)
	echo run >>'${tally}'
	[ "$(wc -l <'${tally}')" -gt 1 ] || exit 0
	echo "[h264_nvenc @ 0x55d0] OpenEncodeSessionEx failed: out of memory (10)" >&2
	echo "Error initializing output stream 0:0 -- Error while opening encoder" >&2
	exit 1
	;;
esac
exec '${real}' "$@"
`;
  writeFileSync(path.join(dir, "ffmpeg"), script);
  chmodSync(path.join(dir, "ffmpeg"), 0o755);
  return {
    PATH: `${dir}:${process.env["PATH"] ?? ""}`,
    runs: () => readFileSync(tally, "utf8").split("\n").length - 1,
  };
};

const statusOf = async (daemon: Daemon) => {
  const { streams } = await daemon.rpc("stream.status", { names: ["film"] });
  return streams[0];
};

const add = async (daemon: Daemon, server: RtmpServer): Promise<void> => {
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  const to = `${server.url}/film`;
  const added = await daemon.cli("add", "film", "--input", input, "--to", to, "--mode", "encode");
  if (added.code !== 0) throw new Error(added.stderr);
};

t.test("Test hardware encoder fallback", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());

  await t.test("a hardware encoder that fails in use: software takes over", async (t) => {
    const { PATH, runs } = await nvencThatFails(t);
    const daemon = await startDaemon({ env: { PATH } });
    t.teardown(() => daemon.end());
    const encoders = await daemon.cli("encoders", "--json");
    t.match(JSON.parse(encoders.stdout), { nvidia: true, preferred: "h264_nvenc" });
    await add(daemon, server);
    t.equal((await daemon.cli("start", "film", "--wait")).code, 0);
    const status = await statusOf(daemon);
    const fallback = /^h264_nvenc failed: .*OpenEncodeSessionEx failed/;
    t.match(status, { state: "live", tracks: { video: { encoder: "libx264", fallback } } });
    t.match(status?.note, /software/);
    t.match(
      daemon.events().find(({ event }) => event === "encoder-fallback"),
      { level: "warn", stream: "film", encoder: "h264_nvenc" },
    );
    t.equal(runs(), 2, "one trial, one failure");
    await server.waitForPublisher("film", 10_000);

    await daemon.restart("SIGKILL");
    process.kill((await statusOf(daemon))?.pid ?? 0, "SIGKILL");
    t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s")).code, 0);
    t.equal(runs(), 2, "a retry under another daemon does not try the hardware again");

    t.equal((await daemon.cli("restart", "film", "--wait")).code, 0);
    t.equal(runs(), 3, "an operator's start does");
    t.match(await statusOf(daemon), { state: "live", tracks: { video: { encoder: "libx264" } } });
  });

  await t.test("with the fallback off it is a clear failure", async (t) => {
    const { PATH, runs } = await nvencThatFails(t);
    const daemon = await startDaemon({ env: { PATH, HARDWARE_ENCODER_FALLBACK: "false" } });
    t.teardown(() => daemon.end());
    await add(daemon, server);
    const started = await daemon.cli("start", "film", "--wait");
    t.match(started, { code: 1, stderr: /h264_nvenc failed: .*HARDWARE_ENCODER_FALLBACK is off/ });
    t.match(await statusOf(daemon), { state: "failed", lastError: { code: "encoder-failed" } });
    t.equal(runs(), 2);
  });

  await t.test("a machine without the hardware says so, with FFmpeg's words", async (t) => {
    const listed = await command("ffmpeg", ["-hide_banner", "-encoders"]);
    const daemon = await startDaemon();
    t.teardown(() => daemon.end());
    const { encoders, preferred, fallback } = await daemon.rpc("encoders.get", {});
    t.equal(fallback, "libx264");
    const working = encoders.filter(({ kind, works }) => kind === "hardware" && works);
    t.equal(preferred, working[0]?.name ?? "libx264");
    for (const { name, works, reason } of encoders)
      if (!works) t.match(reason, listed.stdout.includes(name) ? /\S{3}/ : /built without/, name);
  });
});
