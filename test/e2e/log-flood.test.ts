import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { MOST_BYTES } from "../../daemon/runner/launch.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** Of a log, as the daemon of this test keeps it. */
const LOG_MAX_BYTES = 1 << 20;
/** What each stream's FFmpeg writes in a second, at most: some 30,000 lines. */
const FLOOD = 3 << 20;
const NAMES = ["one", "two"];
/** Of the daemon, while somebody follows: it comes to rest at some 290 MB, 17 MB of them in use. */
const MOST_RESIDENT_KB = 400_000;

const dir = mkdtempSync(path.join(tmpdir(), "sb-"));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const LINE =
  "[h264 @ 0x55d0c0ffee00] error while decoding MB 17 9, bytestream -7: concealing 1234 DC, 1234 AC errors\n";
const chunk = path.join(dir, "chunk");
const chunkOf = (bytes: number): void => {
  writeFileSync(`${chunk}.new`, LINE.repeat(Math.ceil(bytes / LINE.length)));
  copyFileSync(`${chunk}.new`, chunk);
};

/** The real FFmpeg at its most talkative, with a flood beside it on the same descriptor. */
const floodingFfmpeg = (): string => {
  const program = path.join(dir, "ffmpeg");
  const script = `#!/bin/sh
case "$*" in *-progress*) ;; *) exec ffmpeg "$@" ;; esac
while [ -e '${chunk}' ]; do cat '${chunk}' >&2; sleep 0.1; done 3>&- 8>&- 2>&2 &
exec ffmpeg -loglevel trace "$@"
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  return program;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

t.test("FFmpeg floods its log", { timeout: 120_000 }, async (t) => {
  chunkOf(FLOOD / 10);
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({
    env: { LOG_MAX_BYTES: String(LOG_MAX_BYTES), FFMPEG_PATH: floodingFfmpeg() },
  });
  t.teardown(async () => {
    rmSync(chunk, { force: true });
    await daemon.end();
  });
  const logOf = (name: string): string => path.join(daemon.stateDir, "logs", `${name}.log`);
  const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);
  const sizes: number[] = [];
  const before: number[] = [];
  const sampling = setInterval(() => {
    for (const name of NAMES) {
      sizes.push(sizeOf(logOf(name)));
      before.push(sizeOf(`${logOf(name)}.1`));
    }
  }, 50);
  t.teardown(() => clearInterval(sampling));
  const source = await renderFilm({ seconds: 4 });
  for (const name of NAMES)
    await daemon.cli("add", name, "--input", source, "--to", `${server.url}/${name}`, "--start");
  await daemon.cli("wait", ...NAMES, "--for", "live", "--timeout", "30s");
  const received = async (): Promise<number> =>
    Math.min(
      ...(await server.stats()).streams
        .filter(({ app }) => app === "live")
        .map(({ bytesIn }) => bytesIn),
    );
  const residentKb = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid()}/status`, "utf8"))?.[1]);

  t.test("the logs stay within their bounds, and the daemon answers", async (t) => {
    const following = new AbortController();
    const follower = daemon
      .cliWith({ signal: following.signal, timeoutMs: 60_000 }, "logs", "one", "-f")
      .catch(() => null);
    const resident: number[] = [];
    const latencies: number[] = [];
    sizes.length = 0;
    let turned = 0;
    let last = 0;
    await until(
      "the log was emptied six times",
      async () => {
        const began = performance.now();
        await daemon.rpc("stream.status", {});
        latencies.push(performance.now() - began);
        resident.push(residentKb());
        const now = sizeOf(logOf("one"));
        if (now < last) turned += 1;
        last = now;
        return turned >= 6;
      },
      60_000,
    );
    following.abort();
    await follower;
    t.comment(
      `log: median ${median(sizes)}, most ${Math.max(...sizes)} bytes; answers: median ${Math.round(median(latencies))}, most ${Math.round(Math.max(...latencies))} ms; daemon: ${resident[0]} to ${Math.max(...resident)} KB`,
    );
    t.ok(Math.max(...sizes) <= MOST_BYTES, "what the kernel allows");
    // Half of all samples, so that a machine that is busy with other things may look late at times.
    t.ok(median(sizes) <= LOG_MAX_BYTES + 2 * FLOOD, "the bound, and what comes between two looks");
    t.ok(Math.max(...before) <= LOG_MAX_BYTES, "what came before is bounded at all times");
    t.ok(Math.max(...before) > 0);
    t.ok(median(latencies) < 500, "answers come");
    t.ok(
      Math.max(...resident) < MOST_RESIDENT_KB,
      "somebody who follows costs memory within a bound",
    );
  });

  t.test("while no daemon looks, the kernel keeps the bound", async (t) => {
    process.kill(daemon.pid(), "SIGSTOP");
    t.teardown(() => process.kill(daemon.pid(), "SIGCONT"));
    chunkOf(MOST_BYTES / 8);
    await until(
      "the logs are full",
      () => NAMES.every((name) => sizeOf(logOf(name)) === MOST_BYTES),
      60_000,
    );
    const sent = await received();
    await until("the streams go on", async () => (await received()) > sent + 20_000, 20_000);
    for (const name of NAMES) t.equal(sizeOf(logOf(name)), MOST_BYTES);
    chunkOf(FLOOD / 10);
    process.kill(daemon.pid(), "SIGCONT");
    await until(
      "they are emptied",
      () => NAMES.every((name) => sizeOf(logOf(name)) < MOST_BYTES / 4),
      20_000,
    );
    const { streams } = await daemon.rpc("stream.status", {});
    t.same(
      streams.map(({ state, restarts }) => [state, restarts]),
      [
        ["live", 0],
        ["live", 0],
      ],
    );
    await until(
      "FFmpeg's words are kept again",
      () => NAMES.every((name) => sizeOf(logOf(name)) > 0),
      20_000,
    );
    t.ok(Math.max(...before) <= LOG_MAX_BYTES);
  });
});
