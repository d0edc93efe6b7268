import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { command } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { renderFilm } from "../helpers/film.ts";
import { until } from "../helpers/until.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin/streambrod");
const WAIT_MS = 10_000;

const told = async (daemon: Daemon, name: string) => {
  const { settings } = await daemon.rpc("daemon.config", {});
  return settings.find((setting) => setting.name === name);
};
const configure = (daemon: Daemon, text: string): void =>
  writeFileSync(path.join(daemon.dir, "conf.yaml"), text);
const reloads = (daemon: Daemon): Record<string, unknown>[] =>
  daemon.events().filter(({ event }) => event === "reload");

t.test("settings of a daemon that runs", { timeout: 60_000 }, async (t) => {
  const daemon = await startDaemon({
    config: "force_kill_timeout_ms: 7000\ninput_retry_ms: 7000\nretry_limit: 7\n",
    env: { INPUT_RETRY_MS: "8000", RETRY_LIMIT: "8" },
    args: ["--retry-limit", "9", "--monitor-enabled", "false"],
  });
  t.teardown(daemon.end);
  const killMs = async (): Promise<unknown> => (await told(daemon, "FORCE_KILL_TIMEOUT_MS"))?.value;

  t.match(await told(daemon, "START_TIMEOUT_MS"), { value: 30_000, origin: "default" });
  t.match(await told(daemon, "FORCE_KILL_TIMEOUT_MS"), { value: 7_000, origin: "file" });
  t.match(await told(daemon, "INPUT_RETRY_MS"), { value: 8_000, origin: "environment" });
  t.match(await told(daemon, "RETRY_LIMIT"), { value: 9, origin: "flag" });
  t.match(await told(daemon, "MONITOR_ENABLED"), { value: false, origin: "flag", default: true });
  t.match(await daemon.cli("daemon", "config"), {
    code: 0,
    stdout: /^force_kill_timeout_ms +7000 +file +default 5000$/m,
    stderr: `file: ${daemon.dir}/conf.yaml\n`,
  });

  configure(daemon, "force_kill_timeout_ms: 8000\nlimiter_enabled: no\n");
  const reloaded = await daemon.cli("daemon", "reload");
  t.match(reloaded, { code: 0, stdout: "" });
  t.match(reloaded.stderr, /^force_kill_timeout_ms: 7000 -> 8000$/m);
  t.match(reloaded.stderr, /^limiter_enabled: true -> false$/m);
  t.equal(await killMs(), 8_000);

  configure(daemon, "force_kill_timeout_ms: soon\nretry_limt: 1\n? {a: 1}\n: 2\n");
  t.match(await daemon.cli("daemon", "reload"), {
    code: 78,
    stdout: "",
    stderr:
      /retry_limt.*Did you mean retry_limit\?\n.*plain word\.\n.*"soon"\.\n.*nothing was changed/,
  });
  const before = reloads(daemon).length;
  process.kill(daemon.pid(), "SIGHUP");
  await until("SIGHUP was refused", () => reloads(daemon).length > before, WAIT_MS);
  t.match(reloads(daemon).at(-1), {
    level: "error",
    asked: "SIGHUP",
    errors: [/retry_limt/, /plain word/, /soon/],
  });
  t.equal(await killMs(), 8_000, "what was there stays");

  configure(daemon, "force_kill_timeout_ms: 9000\n");
  process.kill(daemon.pid(), "SIGHUP");
  await until("SIGHUP was heeded", async () => (await killMs()) === 9_000, WAIT_MS);
  const last = reloads(daemon).at(-1);
  t.match(last, { level: "info", asked: "SIGHUP" });
  t.match(last?.["msg"], /limiter_enabled false -> true; force_kill_timeout_ms 8000 -> 9000/);
  t.ok(daemon.running());
  t.equal(readFileSync(path.join(daemon.dir, "stderr"), "utf8"), "", "YAML warns of nothing");
});

t.test("what asks for a setting asks anew", { timeout: 60_000 }, async (t) => {
  const daemon = await startDaemon();
  t.teardown(daemon.end);
  const reload = async (text: string): Promise<void> => {
    configure(daemon, text);
    await daemon.rpc("daemon.reload", {});
  };
  const warned = async (): Promise<boolean> =>
    (await daemon.rpc("daemon.status", {})).warnings.some((one) => one.includes("/no/ffmpeg"));
  await reload("ffmpeg_path: /no/ffmpeg\n");
  await until("FFmpeg is missed", warned, WAIT_MS);
  const input = await renderFilm({ seconds: 4 });
  await daemon.cli("add", "radio", "--input", input, "--to", "rtmp://127.0.0.1:1/x");
  await reload("ffmpeg_path: ffmpeg\nlog_level: error\n");
  await until("FFmpeg is found again", async () => !(await warned()), WAIT_MS);

  const ofRadio = (): Record<string, unknown>[] =>
    daemon.events().filter(({ msg }) => /^(Stream )?radio\b/.test(String(msg)));
  await daemon.cli("start", "radio");
  await until(
    "the stream waits to try again",
    async () =>
      (await daemon.rpc("stream.status", {})).streams.every(({ state }) => state === "backoff"),
    WAIT_MS,
  );
  t.same(ofRadio(), [], "errors only, of streams too that were there before");
  await reload("log_level: debug\n");
  await daemon.cli("restart", "radio");
  await until("it is logged", () => ofRadio().some(({ level }) => level === "warn"), WAIT_MS);
  t.same(
    ofRadio().filter(({ stream }) => stream !== "radio"),
    [],
    "each of its lines says whose it is",
  );
});

t.test("command line, and a log for people", { timeout: 60_000 }, async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "sb-set-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const conf = path.join(dir, "conf.yaml");
  writeFileSync(conf, "retry_max_ms: soon\nlog_level: loud\n");
  const env = {
    ...plainEnvironment(),
    STREAMBRO_TEST_HOME: dir,
    STREAMBRO_STATE_DIR: path.join(dir, "state"),
    STREAMBRO_RUNTIME_DIR: path.join(dir, "run"),
  };
  const run = (args: readonly string[]) =>
    command(BIN, args, { env: { ...env, RETRY_LIMIT: "x" }, timeoutMs: 20_000 });
  const wrong = await run(["--config", conf, "--retry-young-ms", "-1"]);
  t.match(wrong, { code: 78, stdout: "" });
  t.match(
    wrong.stderr.trim().split("\n"),
    [/: retry_max_ms: /, /: log_level: /, /RETRY_LIMIT: /, /--retry-young-ms: /].map(
      (words) => new RegExp(`^streambrod: .*${words.source}.*\\.$`),
    ),
  );
  t.match(await run(["--retry-limt", "3"]), { code: 2, stderr: /Did you mean --retry-limit\? / });
  t.match(await run(["--help"]), { code: 0, stdout: /--help-settings/ });
  t.match(await run(["--help-settings"]), {
    code: 0,
    stdout: /^ +--force-kill-timeout-ms +5000 /m,
  });

  const child = spawn(BIN, ["--pretty"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  await until("it answers", () => printed.includes("answers at"), WAIT_MS);
  child.kill("SIGTERM");
  await once(child, "close");
  t.match(printed, /^\[[\d :-]+\] INFO: streambrod \S+ answers at \S+$/m);
  t.match(printed.trimEnd().split("\n").at(-1), /INFO: ended/);
  t.notOk(printed.includes("\u001B"), "no colours off a terminal");
});
