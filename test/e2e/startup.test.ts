import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Finished, command } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { renderFilm } from "../helpers/film.ts";
import { withArgument } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin/streambrod");
const home = mkdtempSync(path.join(tmpdir(), "sb-up-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
let serial = 0;
const fresh = (): string => {
  const made = path.join(home, String((serial += 1)));
  mkdirSync(made);
  return made;
};

type Env = Readonly<Record<string, string>>;
const envOf = (dir: string, more: Env = {}): NodeJS.ProcessEnv => ({
  ...plainEnvironment(),
  STREAMBRO_TEST_HOME: dir,
  STREAMBRO_STATE_DIR: path.join(dir, "state"),
  STREAMBRO_RUNTIME_DIR: path.join(dir, "run"),
  ...more,
});
/** A daemon that does not start, or does not last. */
const failing = (dir: string, more: Env = {}): Promise<Finished> =>
  command(BIN, [], { env: envOf(dir, more), timeoutMs: 20_000 });

t.test("a state directory that cannot be had is a sentence and no stack", async (t) => {
  const dir = fresh();
  mkdirSync(path.join(dir, "state/daemon.lock"), { recursive: true });
  const locked = await failing(dir);
  t.match(locked, {
    code: 1,
    stderr: /^streambrod: Cannot lock \S+daemon\.lock: EISDIR[^\n]*\.\n$/,
  });

  const tools = fresh();
  for (const name of ["node", "readlink"]) {
    const found = spawnSync("which", [name], { encoding: "utf8", env: plainEnvironment() });
    symlinkSync(found.stdout.trim(), path.join(tools, name));
  }
  const noFlock = await failing(fresh(), { PATH: tools });
  t.match(noFlock, {
    code: 1,
    stderr: /^streambrod: [^\n]*flock is missing: [^\n]*util-linux\.\n$/,
  });

  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const second = await command(BIN, [], { env: daemon.env });
  const message = `Another streambrod (pid ${daemon.pid()}) has the state directory ${daemon.stateDir}.`;
  t.match(second, { code: 1, stderr: message });
  t.match(second.stderr, new RegExp(`streambro daemon stop, .*: kill ${daemon.pid()}\n$`));
});

t.test(
  "what nobody expected is one line, an event with its stack, and exit status 1",
  async (t) => {
    const fault = (script: string): Env => ({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    });
    for (const [what, script] of [
      ["a throw in the start", "process.umask = () => { throw new Error('odd') }"],
      ["a throw later", "setTimeout(() => { throw new Error('odd') }, 600)"],
      ["a rejection", "setTimeout(() => void Promise.reject(new Error('odd')), 600)"],
    ] as const) {
      const { code, stderr, stdout } = await failing(fresh(), fault(script));
      t.equal(code, 1, what);
      t.equal(stderr, "streambrod: internal: odd\n", what);
      // Before the settings are read there is no log.
      if (what === "a throw in the start") continue;
      const last = stdout.trimEnd().split("\n").at(-1) ?? "";
      t.match(JSON.parse(last), {
        level: "error",
        event: "internal",
        error: { message: "odd", stack: /Error: odd\n/ },
      });
    }
  },
);

const onAir = async (daemon: Daemon, url: string): Promise<void> => {
  const input = await renderFilm({ seconds: 4 });
  const added = await daemon.cli("add", "film", "--input", input, "--to", url, "--start");
  if (added.code !== 0) throw new Error(added.stderr);
  const waited = await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s");
  if (waited.code !== 0) throw new Error(waited.stderr);
};

t.test("two daemons never share a runtime directory", async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const first = await startDaemon();
  t.teardown(() => first.end());
  await onAir(first, `${server.url}/film`);
  const dir = fresh();
  const shared = { STREAMBRO_RUNTIME_DIR: first.runtimeDir };
  for (const alive of [true, false]) {
    if (!alive) await first.kill("SIGKILL");
    const second = await failing(dir, shared);
    t.equal(second.code, 1);
    t.match(second.stderr, `whose state directory is ${first.stateDir} and not ${dir}/state.`);
    t.match(second.stderr, "STREAMBRO_RUNTIME_DIR");
    t.ok(existsSync(path.join(first.runtimeDir, "runs/film/run.json")), "nothing was touched");
  }
  await first.start();
  await first.cli("stop", "film", "--wait");
  await first.kill("SIGTERM");
  const runs = path.join(first.runtimeDir, "runs");
  rmSync(path.join(runs, "film"), { recursive: true, force: true });
  const env = { ...shared, STREAMBRO_SOCKET: path.join(dir, "s") };
  const second = await startDaemon({ dir, env });
  t.equal(readFileSync(path.join(runs, ".state"), "utf8"), `${dir}/state\n`, "taken over");
  await second.end();
});

t.test("a runtime directory that is wiped", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  await onAir(daemon, `${server.url}/film`);
  const { pid } = (await daemon.rpc("stream.status", {})).streams[0] ?? {};
  rmSync(daemon.runtimeDir, { recursive: true, force: true });
  rmSync(daemon.socket);
  await until("its socket is back", () => existsSync(daemon.socket), 3_000);
  const [after] = (await daemon.rpc("stream.status", {})).streams;
  t.match(after, { state: "live", pid });
  t.ok(
    daemon.events().some(({ event, level }) => event === "socket" && level === "warn"),
    "and it says so",
  );
  await until(
    "and its claim",
    () => existsSync(path.join(daemon.runtimeDir, "runs/.state")),
    3_000,
  );
  await until(
    "and the run",
    () => existsSync(path.join(daemon.runtimeDir, "runs/film/run.json")),
    5_000,
  );
});

const MEMORY = JSON.stringify({
  version: 1,
  reached: null,
  failuresAtPosition: 0,
  restarts: 7,
  lastExit: null,
  rest: { is: "stopped", since: 0 },
});

t.test("what a crash in the middle of a removal left is not inherited", async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  await daemon.kill("SIGKILL");
  const at = (file: string): string => path.join(daemon.stateDir, file);
  for (const file of ["keys/gone@1.json", "memory/gone.json", "locks/gone", "logs/gone.log"])
    writeFileSync(at(file), file.startsWith("memory") ? MEMORY : "{}");
  // A good specification on a disk that has trouble just now.
  symlinkSync("/proc/self/mem", at("streams/sick.json"));
  writeFileSync(at("memory/sick.json"), '{"version":1}');
  await daemon.start();
  for (const folder of ["keys", "locks", "logs"]) t.same(readdirSync(at(folder)), [], folder);
  t.notOk(existsSync(at("memory/gone.json")));
  t.match(
    daemon.events().find(({ event }) => event === "remains"),
    { files: 4 },
  );
  t.ok(existsSync(at("streams/sick.json")), "left in its place");
  const { warnings } = await daemon.rpc("daemon.status", {});
  t.match(warnings.join("\n"), /sick\.json cannot be read just now \(EIO/);
  const input = await renderFilm({ seconds: 4 });
  const added = await daemon.cli("add", "sick", "--input", input, "--to", "rtmp://127.0.0.1:1/x");
  t.not(added.code, 0, "and its name is not given away");
  rmSync(at("streams/sick.json"));
});

t.test("disks that hang take away control over nothing else", { timeout: 60_000 }, async (t) => {
  const dir = fresh();
  // Whatever lies on the mount: stat(1) of it never ends.
  const fakes = path.join(dir, "fakes");
  mkdirSync(fakes);
  const real = spawnSync("which", ["stat"], { encoding: "utf8" }).stdout.trim();
  const script = `#!/bin/sh\ntrap '' TERM\ncase "$*" in */mount/*) exec sleep 4714;; esac\nexec ${real} "$@"\n`;
  writeFileSync(path.join(fakes, "stat"), script);
  chmodSync(path.join(fakes, "stat"), 0o755);
  mkdirSync(path.join(dir, "mount"));
  const input = await renderFilm({ seconds: 4 });
  const daemon = await startDaemon({
    dir,
    env: { PATH: `${fakes}:${process.env["PATH"] ?? ""}` },
  });
  t.teardown(() => daemon.end());
  const hanging = Array.from({ length: 6 }, (_, n) =>
    daemon.cli(
      "add",
      `hung${n}`,
      "--input",
      `${dir}/mount/${n}.mp4`,
      "--to",
      "rtmp://127.0.0.1:1/x",
    ),
  );
  await until("all of them hang", () => withArgument("4714").length === 6, 10_000);
  const environment = readFileSync(`/proc/${daemon.pid()}/environ`, "utf8").split("\0");
  t.ok(environment.includes("UV_THREADPOOL_SIZE=16"), "threads to spare");
  const began = performance.now();
  const added = await daemon.cli("add", "film", "--input", input, "--to", "rtmp://127.0.0.1:1/x");
  t.equal(added.code, 0, added.stderr);
  t.equal((await daemon.cli("rm", "film")).code, 0);
  t.ok(performance.now() - began < 8_000);
  for (const { code, stderr } of await Promise.all(hanging)) {
    t.not(code, 0);
    t.match(stderr, /\.mp4: its disk does not answer\. \w/);
  }
});

const canUnshare =
  spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0
    ? false
    : "a pid namespace cannot be made here";

t.test("as process 1 it says that it needs an init", { skip: canUnshare }, async (t) => {
  const dir = fresh();
  const child = spawn("unshare", ["--pid", "--fork", "--kill-child", BIN], {
    env: envOf(dir),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.teardown(() => child.kill("SIGKILL"));
  await until("it answers", () => log.includes('"ready"'), 10_000);
  child.kill("SIGKILL");
  await ended;
  t.equal(log.match(/docker run --init/g)?.length, 1);
});
