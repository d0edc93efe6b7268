import path from "node:path";
import tap from "tap";
import type { Answer } from "../../cli/client/answer.ts";
import type { Daemon } from "../../cli/client/daemon.ts";
import type { Failure } from "../../cli/client/failure.ts";
import { runProgram } from "../../cli/program.ts";
import type { MethodName } from "../../shared/contract/methods.ts";

type Asked = { readonly method: string; readonly params: Record<string, unknown> };
type Reply = (asked: Asked) => unknown;

const isFailure = (value: unknown): value is Failure =>
  typeof value === "object" && value !== null && "reason" in value;

const status = (name: string, state = "live", more = {}): object => {
  const gone = { pid: null, startedAt: null, retryAt: null, position: null, progress: null };
  const fine = { lastExit: null, lastError: null, note: null, restarts: 0 };
  const outputs = [{ url: "rtmp://a/live/****", bitrateKbps: null }];
  return {
    name,
    state,
    health: "unknown",
    since: "2026-01-01T00:00:00.000Z",
    input: "/f/film.mp4",
    outputs,
    ...gone,
    ...fine,
    ...more,
  };
};

const refused = (code: string, message: string): Failure => ({
  reason: "refused",
  rpc: -1,
  code,
  message,
});

/** Runs one command line against answers made up here: a result, or a failure. */
const run = async (line: string, reply: Reply = () => ({}), stdin = "") => {
  const asked: Asked[] = [];
  const said = { out: "", err: "" };
  const daemon: Daemon = {
    call: async <M extends MethodName>(method: M, params: object) => {
      const call = { method, params: { ...params } };
      asked.push(call);
      const value: any = reply(call);
      const answer: Answer<M> = isFailure(value)
        ? { ok: false, failure: value }
        : { ok: true, result: value };
      return answer;
    },
    hungUp: async () => undefined,
    close: () => undefined,
  };
  const terminal = {
    out: (text: string) => void (said.out += `${text}\n`),
    err: (text: string) => void (said.err += `${text}\n`),
    columns: () => null,
    colour: () => false,
    cwd: () => "/home/anna",
    now: Date.now,
    readStdin: async () => Buffer.from(stdin),
    endWithReader: () => {},
    onInterrupt: () => undefined,
  };
  const surroundings = { terminal, daemon, version: "0", socket: () => "/unused" };
  const exit = await runProgram(
    line.split(" ").filter((word) => word !== ""),
    surroundings,
  );
  return { exit, asked, ...said };
};

const QUIET = {
  video: { action: "copy", encoder: null, fallback: null },
  audio: { action: "silence" },
};

const added: Reply = ({ method, params }) =>
  method === "stream.add"
    ? {
        stream: status(String(params["name"]), "stopped"),
        input: { durationMs: 10_000, video: "h264 320x180", audio: null, tracks: QUIET },
      }
    : { changed: true, stream: status("radio", "starting") };

const unusable = () => refused("INPUT_UNUSABLE", "radio: not added: there is no video in it.");

void tap.test("add", async (t) => {
  const ran = await run(
    "add radio --input film.mp4 --to rtmp://a/live/hunter2 --no-loop --key-stdin --start",
    added,
    "key\n",
  );
  t.match(ran, { exit: 0, out: "" });
  t.match(
    ran.err,
    "radio: added: film.mp4, 10 s, rtmp://a/live/****; ready: picture copied, silence added\nradio: starting\n",
  );
  t.match(ran.err, /the key inside --to was visible/);
  t.notMatch(ran.err, "hunter2");
  const input = path.join("/home/anna", "film.mp4");
  t.same(ran.asked[0]?.params, {
    name: "radio",
    input,
    to: "rtmp://a/live/hunter2",
    key: "key",
    loop: false,
  });
  t.match(await run("add radio -q --input /f --to rtmp://a/live", added), {
    exit: 0,
    out: "",
    err: "",
  });
  const bad = await run("add radio --input /f --to rtmp://a/live", unusable);
  t.match(bad, { exit: 1, err: "radio: not added: there is no video in it.\n" });
  t.match(await run("add radio --input /f --to rtmp://a/l --key-file /no/such", added), {
    exit: 1,
    asked: [],
    err: /no such file/,
  });
  t.match(await run("add radio --input /f --to rtmp://a/l --key-stdin", added, ""), {
    exit: 78,
    asked: [],
  });
});

const several: Reply = ({ method, params }) => {
  const name = String(params["name"]);
  if (method === "stream.status") return { version: 1, streams: [status("a"), status("b")] };
  if (name === "none") return refused("STREAM_NOT_FOUND", "there is no such stream.");
  return { changed: name === "a", stream: status(name, name === "a" ? "starting" : "live") };
};

void tap.test("several streams: each is done, the worst status wins", async (t) => {
  const ran = await run("start a none b a", several);
  t.match(ran, {
    exit: 4,
    err: "a: starting\nnone: not started: there is no such stream.\nb: already live\n",
  });
  t.match(await run("stop --all", several), { exit: 0, err: "a: stopping\nb: already live\n" });
  const dead = await run("stop a b", () => ({
    reason: "unreachable",
    socket: "/s",
    code: "ENOENT",
  }));
  t.equal(dead.err.split("no daemon answers").length, 2, "a missing daemon is reported once");
  t.equal(dead.exit, 69);
  const json = await run("start a b --json", several);
  t.same(
    json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).changed),
    [true, false],
  );
  t.equal(json.err, "");
});

const known: Reply = ({ params }) => {
  const names = Array.isArray(params["names"]) ? params["names"] : ["a", "b"];
  if (names.includes("none")) return refused("STREAM_NOT_FOUND", "there is no such stream.");
  return {
    version: 1,
    streams: names.map((name) => status(name, name === "a" ? "live" : "failed")),
  };
};

void tap.test("--all is what may be acted on", async (t) => {
  const streams = [status("news", "backoff", { mayControl: false }), status("radio")];
  const reply: Reply = ({ method }) =>
    method === "stream.status" ? { streams } : { changed: true, stream: status("radio") };
  for (const verb of ["start", "stop", "restart", "rm"]) {
    const ran = await run(`${verb} --all -q`, reply);
    t.match(ran, { exit: 0, err: "" }, verb);
    t.same(
      ran.asked.slice(1).map(({ params }) => params["name"]),
      ["radio"],
      verb,
    );
  }
  t.match(await run("status --all", reply), { exit: 0, out: /^NAME [^\n]*\nradio [^\n]*\n$/ });
  t.match(await run("ls", reply), { exit: 0, out: /^news/m });
  const none: Reply = () => ({ streams: streams.slice(0, 1) });
  t.match(await run("stop --all", none), { exit: 0, err: "streambro: you have no streams.\n" });
  t.match(await run("stop --all", () => ({ streams: [] })), { err: /there are no streams/ });
});

void tap.test("the role one has", async (t) => {
  const about = { version: "1", pid: 1, startedAt: "2026-01-01T00:00:00.000Z", streams: {} };
  const places = { ffmpeg: "5", socket: "/s", stateDir: "/d", runtimeDir: "/r", warnings: [] };
  const asUser: Reply = () => ({ ...about, ...places, role: "user" });
  t.match(await run("daemon status", asUser), { exit: 0, out: /^you are: +a user: /m });
  const older = await run("daemon status", () => ({ ...about, ...places }));
  t.notMatch(older.out, "you are");
});

void tap.test("status and ls", async (t) => {
  const cases = {
    status: 0,
    "status a": 0,
    "status a b": 3,
    "status --all": 3,
    "ls b": 0,
    "status none": 4,
    "status none b": 4,
  };
  for (const [line, exit] of Object.entries(cases))
    t.equal((await run(line, known)).exit, exit, line);
  t.match(await run("status b -q", known), { exit: 3, out: "", err: "" });
  t.match(await run("status none a", known), {
    out: /^NAME[^]*\na +live/,
    err: "none: there is no such stream.\n",
  });
  t.same(JSON.parse((await run("ls a --json", known)).out).streams.length, 1);
  t.match(await run("ls", () => ({ version: 1, streams: [] })), {
    exit: 0,
    out: "",
    err: /no streams/,
  });
});

void tap.test("waiting", async (t) => {
  const outcome =
    (kind: string, stream: object): Reply =>
    ({ method }) =>
      method === "stream.wait"
        ? { outcome: kind, stream }
        : { changed: true, stream: status("a", "starting") };
  t.match(await run("start a --wait", outcome("reached", status("a"))), {
    exit: 0,
    err: /^a: live( after [\d.]+ s)?\n$/,
  });
  const failed = status("a", "failed", {
    lastError: { code: "X", message: "the server said no." },
  });
  t.match(await run("start a --wait", outcome("never", failed)), {
    exit: 1,
    err: "a: not live: failed, the server said no.\n",
  });
  const late = await run("start a --wait --timeout 0", outcome("waiting", status("a", "starting")));
  t.match(late, { exit: 124, err: "a: not live within 0 s: it is starting.\n" });
  t.match(await run("wait a --for stopped --json", outcome("reached", status("a", "stopped"))), {
    exit: 0,
    out: /"outcome":"reached"/,
    err: "",
  });
});

const gone: Reply = ({ method }) =>
  method === "daemon.stop"
    ? { pid: 1, streams: 2 }
    : { reason: "unreachable", socket: "/s", code: "ENOENT" };

void tap.test("set, show, rm, daemon", async (t) => {
  const change = { stream: status("a"), changed: true, needsRestart: true, restarted: false };
  t.match(await run("set a --loop", () => change), {
    exit: 0,
    err: /^a: changed; .*streambro restart a\n$/,
    asked: [{ params: { loop: true } }],
  });
  t.match(await run("set a --loop --restart", () => ({ ...change, restarted: true })), {
    err: "a: changed, restarting\n",
  });
  const spec = {
    name: "a",
    owner: "o",
    input: "/f",
    loop: true,
    mode: "copy",
    outputs: [{ url: "rtmp://a/l/****", hasKey: true }],
    revision: 2,
  };
  t.match(await run("show a", () => ({ version: 1, spec })), {
    exit: 0,
    out: /^name: +a\n[^]*to: +rtmp:\/\/a\/l\/\*{4}, with a key\n/,
    err: "",
  });
  const chosen = { width: 1280, height: 720, fps: null, videoKbps: 2_500 };
  const none = { audioKbps: null, preset: null, encoder: null };
  const encoded = { ...spec, mode: "encode", encoding: { ...chosen, ...none } };
  t.match(await run("show a", () => ({ version: 1, spec: encoded })), {
    out: /\nmode: +encode\nsize: +1280x720\nvideo rate: +2500 kbit\/s\non breach: +warn\n/,
  });
  const argv = ["/usr/bin/ffmpeg", "-vf", "pad=2:2:(ow-iw)/2", "it's"];
  t.match(await run("show a --command", () => ({ version: 1, argv })), {
    exit: 0,
    out: `/usr/bin/ffmpeg -vf 'pad=2:2:(ow-iw)/2' 'it'\\''s'\n`,
    asked: [{ method: "stream.command" }],
  });
  t.match(await run("show a --command --json", () => ({ version: 1, argv })), {
    out: `${JSON.stringify({ version: 1, argv })}\n`,
  });
  t.match(await run("rm a", () => ({ name: "a" })), { exit: 0, err: "a: removed\n" });
  t.match(await run("daemon stop", gone), {
    exit: 0,
    err: "streambrod: stopped, 2 streams with it\n",
  });
  t.match(await run("daemon stop --keep-streams", gone), {
    err: /2 streams left on the air/,
    asked: [{ params: { keepStreams: true } }],
  });
});

const setting = (name: string, value: unknown, usual: unknown, more = {}): object => ({
  ...{ name, value, default: usual, origin: "default", live: true },
  ...more,
});

void tap.test("settings of the daemon", async (t) => {
  const settings = [
    setting("RETRY_LIMIT", 0, 0),
    setting("LOG_LEVEL", "warn", "info", { origin: "environment" }),
    setting("METRICS_LISTEN", "", "", { live: false }),
    setting("OTHER", 1, 2, { live: false, origin: "file", pending: 3 }),
  ];
  const config = { version: 1, file: "/c.yaml", settings };
  t.match(await run("daemon config", () => config), {
    exit: 0,
    out: `SETTING         VALUE  FROM         NOTE
retry_limit     0      default      -
log_level       warn   environment  default info
metrics_listen  ""     default      only a restart changes it
other           1      file         default 2; 3 after a restart
`,
    err: "file: /c.yaml\n",
  });
  t.match((await run("daemon config", () => ({ ...config, file: null }))).err, /^No file/);
  t.same(JSON.parse((await run("daemon config --json", () => config)).out), config);
  t.match(await run("daemon config -q", () => config), { exit: 0, out: "", err: "" });

  const changed = [{ name: "FORCE_KILL_TIMEOUT_MS", from: 5000, to: 8000 }];
  const needsRestart = [{ name: "METRICS_LISTEN", from: "", to: "127.0.0.1:1" }];
  const all = { version: 1, changed, needsRestart };
  t.match(await run("daemon reload", () => all), {
    exit: 0,
    out: "",
    err: `force_kill_timeout_ms: 5000 -> 8000
metrics_listen: "" -> 127.0.0.1:1 needs a restart of the daemon
`,
  });
  t.same(JSON.parse((await run("daemon reload --json", () => all)).out), all);
  t.match(await run("daemon reload -q", () => all), { exit: 0, out: "", err: "" });
  const same = { version: 1, changed: [], needsRestart: [] };
  t.equal((await run("daemon reload", () => same)).err, "nothing changed\n");
  const errors = ["/c.yaml: a: give 1.", "/c.yaml: b: give 2."];
  t.match(await run("daemon reload -q", () => ({ ...refused("INVALID_SETTING", "x"), errors })), {
    exit: 78,
    out: "",
    err: `streambro: /c.yaml: a: give 1.
streambro: /c.yaml: b: give 2.
streambro: nothing was changed: the old settings stay.
`,
  });
  t.match(await run("daemon reload", () => refused("INVALID_SETTING", "x")), {
    exit: 78,
    err: /x/,
  });
});

void tap.test("modes and encoding as typed", async (t) => {
  const ask = async (options: string) => run(`add a --input /f --to rtmp://h/l ${options}`, added);
  const good: Readonly<Record<string, object>> = {
    "--mode copy": { mode: "copy" },
    "--mode encode --size 1280x720": { encoding: { width: 1280, height: 720 } },
    "--size default --fps default": { encoding: { width: null, height: null, fps: null } },
    "--fps 25": { encoding: { fps: 25 } },
    "--fps 30000/1001": { encoding: { fps: 30_000 / 1001 } },
    "--video-bitrate 2500k": { encoding: { videoKbps: 2_500 } },
    "--video-bitrate 2500": { encoding: { videoKbps: 2_500 } },
    "--video-bitrate 2.5M --audio-bitrate 96K": { encoding: { videoKbps: 2_500, audioKbps: 96 } },
    "--preset p4 --encoder h264_nvenc": { encoding: { preset: "p4", encoder: "h264_nvenc" } },
    "--encoder default": { encoding: { encoder: null } },
    "--on-resource-breach stop": { onResourceBreach: "stop" },
  };
  for (const [options, params] of Object.entries(good))
    t.match(await ask(options), { exit: 0, asked: [{ params }] }, options);
  const bad = [
    "--mode fast",
    "--mode default",
    "--size 1280",
    "--size 1281x720",
    "--size 8x8",
    "--size 1280x720x2",
    "--size -1x-1",
    "--fps 0",
    "--fps 1e3",
    "--fps 30/0",
    "--fps fast",
    "--video-bitrate 2500000",
    "--video-bitrate 2G",
    "--video-bitrate k",
    "--video-bitrate -5k",
    "--audio-bitrate 5M",
    "--preset=-x",
    "--preset VeryFast!",
    "--encoder ../x",
    "--on-resource-breach panic",
  ];
  for (const options of bad) {
    const ran = await ask(options);
    t.match(ran, { exit: 2, asked: [], err: /^streambro: option '--/ }, options);
  }
  t.match(await run("set a --fps 25", () => ({ changed: true })), {
    exit: 0,
    asked: [{ method: "stream.set", params: { encoding: { fps: 25 } } }],
  });
});
