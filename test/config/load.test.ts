import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Loaded, loadSettings } from "../../daemon/config/load.ts";
import { type SettingName, SETTING_NAMES, asOption } from "../../daemon/config/names.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-config-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const file = path.join(home, "streambro.yaml");
type Values = Readonly<Record<string, string>>;
const sourcesOf = (env: Values = {}, flags: Values = {}) => ({
  file,
  mustExist: true,
  env,
  flags: new Map(Object.entries(flags) as [SettingName, string][]),
});
const load = (text: string, env: Values = {}, flags: Values = {}): Loaded => {
  writeFileSync(file, text);
  return loadSettings(sourcesOf(env, flags));
};
const errorsOf = (loaded: Loaded): readonly string[] => (loaded.ok ? [] : loaded.errors);
const defaults = SettingsSchema.parse({});

t.test("flag over environment over file over default", async (t) => {
  t.match(defaults, {
    MAX_CONCURRENT_STREAMS_PER_USER: 5,
    MAX_CONCURRENT_STREAMS_GLOBAL: 20,
    RESOURCE_WARNING_CPU_PERCENT: 80,
    RESOURCE_WARNING_MEMORY_MB: 500,
    RESOURCE_MONITOR_INTERVAL_MS: 30_000,
    FORCE_KILL_TIMEOUT_MS: 5_000,
    PREFER_HARDWARE_ENCODING: true,
    HARDWARE_ENCODER_FALLBACK: true,
    START_TIMEOUT_MS: 30_000,
    LOG_LEVEL: "info",
  });
  for (const text of ["", "# nothing\n", "---\n", "{}", "null\n", "\uFEFF"]) {
    t.match(load(text), { ok: true, settings: defaults, fileFound: true }, JSON.stringify(text));
  }
  const text = "force_kill_timeout_ms: 7000\nlog_level: debug\nretry_limit: 2\n";
  t.match(load(text), {
    settings: { FORCE_KILL_TIMEOUT_MS: 7_000, LOG_LEVEL: "debug", RETRY_LIMIT: 2 },
    origins: { FORCE_KILL_TIMEOUT_MS: "file", RETRY_YOUNG_MS: "default" },
  });
  const env = { FORCE_KILL_TIMEOUT_MS: "8000", LOG_LEVEL: "", RETRY_LIMIT: "3", UNRELATED: "y" };
  t.match(load(text, env, { RETRY_LIMIT: "4" }), {
    settings: { FORCE_KILL_TIMEOUT_MS: 8_000, LOG_LEVEL: "debug", RETRY_LIMIT: 4 },
    origins: { FORCE_KILL_TIMEOUT_MS: "environment", LOG_LEVEL: "file", RETRY_LIMIT: "flag" },
  });
  t.match(load("FORCE_KILL_TIMEOUT_MS: 0"), { settings: { FORCE_KILL_TIMEOUT_MS: 0 } });
});

t.test("yes and no, off, aliases and a program's relative path", async (t) => {
  for (const no of ["false", "no", "off", "0", "OFF", "'No'"])
    t.match(load(`limiter_enabled: ${no}`), { settings: { LIMITER_ENABLED: false } }, no);
  t.match(load("", { MONITOR_ENABLED: "1" }, { CLEANUP_ENABLED: " Yes " }), {
    settings: { MONITOR_ENABLED: true, CLEANUP_ENABLED: true },
  });
  for (const given of ["127.0.0.1:0", "[::1]:9464", "metrics.example.com:65535"])
    t.match(load("", { METRICS_LISTEN: given }), { settings: { METRICS_LISTEN: given } }, given);
  t.match(load("metrics_listen: 127.0.0.1:1", { METRICS_LISTEN: "off" }), {
    settings: { METRICS_LISTEN: "" },
  });
  t.match(load("retry_max_ms: &a 20000\nretry_max_later_ms: *a\n"), {
    settings: { RETRY_MAX_MS: 20_000, RETRY_MAX_LATER_MS: 20_000 },
  });
  for (const [given, meant] of [
    ["ffmpeg", "ffmpeg"],
    ["bin/../tools/ffmpeg", path.resolve("tools/ffmpeg")],
    ["/opt/ffmpeg", "/opt/ffmpeg"],
  ] as const) {
    const settings = { FFMPEG_PATH: meant, FFPROBE_PATH: meant };
    t.match(load(`ffmpeg_path: ${given}\nffprobe_path: ${given}\n`), { settings }, given);
    t.match(load("", {}, { FFMPEG_PATH: given, FFPROBE_PATH: given }), { settings }, given);
  }
});

t.test("a file that is not there, or is none", async (t) => {
  const none = path.join(home, "none.yaml");
  const at = (place: string, mustExist: boolean, again = false): Loaded =>
    loadSettings({ ...sourcesOf(), file: place, mustExist }, again);
  t.match(at(none, false), { ok: true, fileFound: false });
  t.same(errorsOf(at(none, true)), [`${none}: there is no such file.`]);
  t.match(errorsOf(at(home, false)), [/it cannot be read \(EISDIR\)\.$/]);
  t.match(errorsOf(at("/dev/zero", true)), [/it is too long/]);
  t.match(at("/dev/null", true, true), { ok: true });
  const pipe = path.join(home, "pipe");
  spawnSync("mkfifo", [pipe]);
  t.match(errorsOf(at(pipe, true, true)), [/a pipe cannot be read a second time/]);
});

t.test("what is wrong is said with its place and its name", async (t) => {
  const inFile = (key: string): RegExp => new RegExp(`^${file}: ${key}: give .+, not .+\\.$`);
  const rows: readonly [string, RegExp][] = [
    [
      "colour: red",
      /: colour: there is no such setting \(line 1\)\. See: streambrod --help-settings$/,
    ],
    [
      "\n\nretry-limt: 3",
      /: retry-limt: there is no such setting \(line 3\)\. Did you mean retry_limit\?$/,
    ],
    ["__proto__: 1", /__proto__: there is no such setting/],
    ["constructor: 1", /constructor: there is no such setting/],
    ["? [a]\n: 1", /line 1: a setting's name is one plain word\.$/],
    [": 1", /line 1: a setting's name is one plain word\.$/],
    ["retry_limit: 1\nRETRY_LIMIT: 1", /: retry_limit: it is there twice, in lines 1 and 2\.$/],
    ["retry_max_ms: soon", inFile("retry_max_ms")],
    ["retry_max_ms: 99", inFile("retry_max_ms")],
    ["retry_max_ms: 1.5", inFile("retry_max_ms")],
    ["retry_max_ms: -1", inFile("retry_max_ms")],
    ["retry_max_ms: .inf", inFile("retry_max_ms")],
    ["retry_max_ms: .nan", inFile("retry_max_ms")],
    ["force_kill_timeout_ms:", /: force_kill_timeout_ms: give .+, not nothing\.$/],
    ["force_kill_timeout_ms: true", inFile("force_kill_timeout_ms")],
    ["force_kill_timeout_ms: [5000]", /, not a list\.$/],
    ["force_kill_timeout_ms: {a: 1}", /, not a mapping\.$/],
    ["force_kill_timeout_ms: ''", /, not ""\.$/],
    ["limiter_enabled: 2", /: limiter_enabled: give true or false, not 2\.$/],
    ["log_level: loud", /: log_level: give debug, info, warn or error, not "loud"\.$/],
    ["ffmpeg_path: 5", inFile("ffmpeg_path")],
    ["ffmpeg_path: ''", inFile("ffmpeg_path")],
    ['ffmpeg_path: "a\\0b"', inFile("ffmpeg_path")],
    ["metrics_listen: 9464", /: metrics_listen: give HOST:PORT/],
    ["metrics_listen: 127.0.0.1:65536", /: metrics_listen: give HOST:PORT/],
    ["metrics_listen: anna:hunter2@a:1", /: metrics_listen: give HOST:PORT, such as [^@]+$/],
    ["- a\n- b", /it must hold lines such as/],
    ["just words", /it must hold lines such as/],
    ["false", /it must hold lines such as/],
    ["a: [", /: line \d is not YAML: /],
    ["\tretry_max_ms: 1", /: line 1 is not YAML: /],
    ["a: 1\n---\nb: 2", /: line 2 is not YAML: /],
    ["\u0000\u0001\u0002", /is not YAML|must hold/],
    ["retry_limit: *nothing", inFile("retry_limit")],
    ["[".repeat(60_000), /is not YAML: /],
    [
      "retry_first_ms: 900\nretry_max_ms: 800",
      /: retry_first_ms: 900 is more than the 800 of .+: retry_max_ms\.$/,
    ],
  ];
  for (const [text, message] of rows)
    t.match(errorsOf(load(text)), [message], JSON.stringify(text.slice(0, 60)));
  t.match(errorsOf(load("", { FORCE_KILL_TIMEOUT_MS: " " })), [
    /^the environment's FORCE_KILL_TIMEOUT_MS: give .+, not " "\.$/,
  ]);
  t.match(errorsOf(load("", {}, { METRICS_LISTEN: "x" })), [/^--metrics-listen: /]);
  t.match(load("retry_max_ms: 300"), { ok: true }, "a default gives way");
  const nasty = errorsOf(load('"x\\u001b[31m\\ny": 1\nlog_level: "\\u001b[31m"'));
  t.equal(nasty.length, 2);
  t.notMatch(nasty.join(""), /\p{Cc}/u, "what is repeated is printable");
});

t.test("every error of every source at once", async (t) => {
  const text = "colour: red\nretry_max_ms: soon\nlog_level: loud\n";
  const all = errorsOf(load(text, { LOG_LEVEL: "info", RETRY_LIMIT: "x" }, { RETRY_LIMIT: "-1" }));
  t.match(all, [
    /: colour: /,
    /: retry_max_ms: /,
    /: log_level: /,
    /^the environment's RETRY_LIMIT: /,
    /^--retry-limit: /,
  ]);
  t.match(errorsOf(load("a: [\nb: ]", { RETRY_LIMIT: "x" })).at(-1), /RETRY_LIMIT/);
  const crowd = errorsOf(load(Array.from({ length: 200 }, (_, n) => `k${n}: 1`).join("\n")));
  t.equal(crowd.length, 51);
  t.equal(crowd.at(-1), "There are 150 more errors.");
});

t.test("YAML garbage is refused or understood, never throws, and prints nothing", async (t) => {
  const warned: string[] = [];
  const onWarning = ({ message }: Error): void => void warned.push(message);
  process.on("warning", onWarning);
  let seed = 21;
  const random = (): number =>
    (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const alphabet = ":-[]{}&*!|>'\"%@`#?, \n\tab1~\u00E9\u2028";
  for (let n = 0; n < 1_000; n += 1) {
    const text = Array.from(
      { length: Math.floor(random() * 40) },
      () => alphabet[Math.floor(random() * alphabet.length)],
    ).join("");
    try {
      const loaded = load(text);
      if (!loaded.ok && loaded.errors.some((error) => error === "" || error.includes("\n")))
        t.fail(JSON.stringify(text));
    } catch (error) {
      t.fail(`${JSON.stringify(text)}: ${String(error)}`);
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  t.same(warned, []);
});

t.test("every setting says what it is for and has a name of its own", async (t) => {
  for (const name of SETTING_NAMES)
    t.match(SettingsSchema.shape[name].description, /^.{8,90}$/, name);
  t.equal(new Set(SETTING_NAMES.map(asOption)).size, SETTING_NAMES.length);
});
