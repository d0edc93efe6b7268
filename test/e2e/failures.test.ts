import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { FailureReason } from "../../shared/states.ts";
import { bentFfmpeg, whyNoNowhere } from "../helpers/bent-ffmpeg.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { renderFilm } from "../helpers/film.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { startRelay } from "../helpers/tcp-relay.ts";
import { until } from "../helpers/until.ts";

const SECONDS = 3;
const DEADLINE_MS = 100_000;
const PASSPHRASE = "wrong-passphrase";

/** What goes wrong, with which reason it has to end and what its sentence has to say. */
type Case = {
  readonly reason: FailureReason;
  readonly says: RegExp;
  readonly to: string;
  readonly key?: string;
  readonly mode?: "encode";
  /** Its own copy of the film. */
  readonly input?: string;
  readonly skip?: string | false;
  /** Done to it once it is live. */
  readonly meddle?: (stream: StreamStatus) => void;
};

const home = mkdtempSync(path.join(os.tmpdir(), "sb-failures-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));

/** A real FFmpeg beside the daemon's, ended with the test. */
const ffmpeg = (...args: string[]): ChildProcess => {
  const child = spawn("ffmpeg", ["-v", "error", ...args], {
    env: plainEnvironment(),
    stdio: "ignore",
  });
  t.teardown(() => void child.kill("SIGKILL"));
  return child;
};

t.test("every failure that can be had, with real programs", { timeout: 150_000 }, async (t) => {
  const source = await renderFilm({ seconds: SECONDS, size: "160x90" });
  const own = (name: string): string => {
    const copy = path.join(home, `${name}.mp4`);
    copyFileSync(source, copy);
    return copy;
  };
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  server.reject((name) => name === "banned");
  const { rtmp, http } = server.ports;
  const bytesASecond = statSync(source).size / SECONDS;
  const [late, early] = await Promise.all([
    startRelay(rtmp, 5 * bytesASecond),
    startRelay(rtmp, 6_000),
  ]);
  // It takes every connection, reads, and never says a word.
  const held = new Set<net.Socket>();
  const mute = net.createServer((socket) => void held.add(socket.resume().on("error", () => {})));
  await new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const close of [late.close, early.close, () => mute.close()]) close();
    for (const socket of held) socket.destroy();
  });
  const mutePort = (mute.address() as net.AddressInfo).port;
  const [closed = 0, listening = 0] = await freePorts(2);
  ffmpeg(
    ...["-i", `srt://127.0.0.1:${listening}?mode=listener&passphrase=right-passphrase`],
    ...["-c", "copy", "-f", "null", "-"],
  );
  const loop = ["-re", "-stream_loop", "-1", "-i", source, "-c", "copy", "-f", "flv"];
  ffmpeg(...loop, `${server.plainUrl}/busy`);
  await until(
    "somebody else publishes",
    async () =>
      (await server.stats()).streams.some(({ name, bytesIn }) => name === "busy" && bytesIn > 0),
    10_000,
  );

  const at = (port: number): string => `rtmp://127.0.0.1:${port}/live`;
  const signalled = (name: NodeJS.Signals) => (stream: StreamStatus) =>
    void process.kill(stream.pid ?? 0, name);
  const [removed, spoilt] = [own("removed"), own("spoilt")];
  const cases: Readonly<Record<string, Case>> = {
    refused: {
      reason: "connection-refused",
      to: at(closed),
      says: /refused.*Is the server running/,
    },
    name: {
      reason: "dns",
      to: "rtmp://no-such-host.invalid/live",
      says: /no-such-host\.invalid.*looked up/,
    },
    application: {
      ...{ reason: "auth-or-path-rejected", to: `rtmp://127.0.0.1:${rtmp}/nosuch` },
      says: /did not take the stream.*Check application and key/,
    },
    banned: {
      ...{ reason: "auth-or-path-rejected", to: server.url, key: "banned" },
      says: /did not take the stream.*Check application and key/,
    },
    denied: {
      ...{ reason: "auth-or-path-rejected", to: server.closedUrl, key: "denied" },
      says: /closed it at once.*the key is wrong/,
    },
    busy: {
      ...{ reason: "already-publishing", to: server.plainUrl, key: "busy" },
      says: /somebody else is publishing.*End the other sender/,
    },
    late: { reason: "network-lost", to: at(late.port), says: /connection to .* was lost/ },
    early: { reason: "auth-or-path-rejected", to: at(early.port), says: /closed it at once/ },
    silent: { reason: "timed-out", to: at(mutePort), says: /then said nothing.*an RTMP port/ },
    web: { reason: "network-lost", to: at(http), says: /hung up before any RTMP/ },
    tls: {
      ...{ reason: "tls-failed", to: `rtmps://127.0.0.1:${http}/live` },
      says: /no TLS came about.*needs rtmp:/,
    },
    "tls-silent": {
      ...{ reason: "tls-failed", to: `rtmps://127.0.0.1:${rtmp}/live` },
      says: /no TLS came about.*needs rtmp:/,
    },
    "srt-refused": {
      ...{ reason: "timed-out", to: `srt://127.0.0.1:${closed}` },
      says: /nobody at .* answered by SRT.*UDP port/,
    },
    "srt-secret": {
      ...{ reason: "auth-or-path-rejected", to: `srt://127.0.0.1:${listening}`, key: PASSPHRASE },
      says: /passphrase is another.*set srt-secret --key-file/,
    },
    nowhere: {
      ...{ reason: "timed-out", to: "rtmp://10.99.0.2/live", skip: whyNoNowhere() },
      says: /did not answer.*firewall/,
    },
    memory: {
      ...{ reason: "out-of-memory", to: server.url, mode: "encode" },
      says: /free -h/,
    },
    nvenc: {
      ...{ reason: "encoder-failed", to: server.url, mode: "encode" },
      says: /encoder could not be used: .*streambro encoders/,
    },
    opus: { reason: "codec-unsupported", to: server.url, says: /set opus --mode auto/ },
    option: { reason: "option-unsupported", to: server.url, says: /Install FFmpeg/ },
    gone: { reason: "spawn-failed", to: server.url, says: /could not be run.*FFMPEG_PATH/ },
    mute: { reason: "unknown", to: server.url, says: /exit status 99.*streambro logs mute/ },
    short: { reason: "end-of-input", to: server.url, says: /came to its end early.*Play it/ },
    removed: {
      ...{ reason: "input-missing", to: server.url, input: removed, says: /removed|input is gone/ },
      meddle: () => rmSync(removed),
    },
    spoilt: {
      ...{
        reason: "input-corrupt",
        to: server.url,
        input: spoilt,
        says: /cannot be read|Name an|damaged/,
      },
      meddle: () => writeFileSync(spoilt, "x".repeat(100_000)),
    },
    killed: {
      ...{ reason: "killed", to: server.url, says: /killed from outside.*want of memory/ },
      meddle: signalled("SIGKILL"),
    },
    ended: {
      ...{
        reason: "killed",
        to: server.url,
        says: /asked to end by somebody else.*streambro stop/,
      },
      meddle: signalled("SIGTERM"),
    },
    crashed: {
      ...{ reason: "crashed", to: server.url, says: /crashed \(SIGSEGV\).*update FFmpeg/ },
      meddle: signalled("SIGSEGV"),
    },
  };

  // One failure each, and then a rest in which it can be looked at.
  const daemon = await startDaemon({
    env: {
      FFMPEG_PATH: await bentFfmpeg(home),
      LIMITER_ENABLED: "false",
      RETRY_FIRST_MS: "60000",
      RETRY_MAX_MS: "600000",
    },
  });
  t.teardown(() => daemon.end());
  const wanted = Object.entries(cases).filter(([, { skip = false }]) => skip === false);
  for (const [name, { to, key, mode, input = source }] of wanted) {
    const secret = to.startsWith("srt:") && key === undefined ? {} : { key: key ?? name };
    const how = mode === undefined ? {} : { mode };
    await daemon.rpc("stream.add", { name, input, to, ...secret, ...how });
    await daemon.rpc("stream.start", { name });
  }
  const failed = new Map<string, { readonly stream: StreamStatus; readonly shown: string }>();
  const meddledWith = new Set<string>();
  const look = async (stream: StreamStatus): Promise<void> => {
    const { name, state, startedAt, lastError } = stream;
    const run = `${name} ${startedAt}`;
    if (state === "live" && !meddledWith.has(run)) cases[name]?.meddle?.(stream);
    if (state === "live") meddledWith.add(run);
    if (lastError === null || failed.has(name)) return;
    const { stdout } = await daemon.cli("status", name);
    // A retry may have come in between: then it fails once more.
    if (stdout.includes(lastError.message)) failed.set(name, { stream, shown: stdout });
  };
  const all = until(
    "every stream has failed",
    async () => {
      const { streams } = await daemon.rpc("stream.status", {});
      for (const stream of streams) await look(stream);
      return failed.size === wanted.length;
    },
    DEADLINE_MS,
  );
  // Which of them did not is said below.
  await all.catch(() => {});
  for (const [name, { reason, says, skip = false }] of Object.entries(cases)) {
    await t.test(name, { skip }, async (t) => {
      const { stream, shown = "" } = failed.get(name) ?? {};
      const message = stream?.lastError?.message ?? "";
      t.equal(stream?.lastError?.code, reason, message);
      t.match(message, says);
      t.match(shown, says, "and status NAME shows it");
      t.equal(stream?.state, /unsupported/.test(reason) ? "failed" : "backoff");
      t.notMatch(shown, PASSPHRASE);
    });
  }
});
