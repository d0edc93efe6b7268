import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Loaded, loadSettings } from "../../daemon/config/load.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-config-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const file = path.join(home, "streambro.yaml");
const load = (text: string, env: Record<string, string> = {}): Loaded => {
  writeFileSync(file, text);
  return loadSettings(file, true, env);
};
const defaults = SettingsSchema.parse({});

t.test("environment over file over default", async (t) => {
  t.match(defaults, {
    FORCE_KILL_TIMEOUT_MS: 5_000,
    START_TIMEOUT_MS: 30_000,
    RETRY_LIMIT: 0,
    LOG_LEVEL: "info",
  });
  for (const text of ["", "# nothing\n", "---\n", "{}", "null\n"]) {
    t.same(load(text), { ok: true, settings: defaults }, JSON.stringify(text));
  }
  const text = "force_kill_timeout_ms: 7000\nlog_level: debug\nffmpeg_path: /opt/ffmpeg\n";
  t.match(load(text), {
    ok: true,
    settings: {
      FORCE_KILL_TIMEOUT_MS: 7_000,
      LOG_LEVEL: "debug",
      FFMPEG_PATH: "/opt/ffmpeg",
      RETRY_LIMIT: 0,
    },
  });
  const env = {
    FORCE_KILL_TIMEOUT_MS: "8000",
    LOG_LEVEL: "",
    RETRY_LIMIT: "3",
    HOME: "/x",
    UNRELATED: "y",
  };
  t.match(load(text, env), {
    ok: true,
    settings: { FORCE_KILL_TIMEOUT_MS: 8_000, LOG_LEVEL: "debug", RETRY_LIMIT: 3 },
  });
  t.match(load("FORCE_KILL_TIMEOUT_MS: 0"), { ok: true, settings: { FORCE_KILL_TIMEOUT_MS: 0 } });
});

t.test("a program's relative path is from where the daemon was started", async (t) => {
  for (const [given, meant] of [
    ["ffmpeg", "ffmpeg"],
    ["./ffmpeg", path.resolve("ffmpeg")],
    ["bin/../tools/ffmpeg", path.resolve("tools/ffmpeg")],
    ["/opt/ffmpeg", "/opt/ffmpeg"],
  ] as const) {
    const settings = { FFMPEG_PATH: meant, FFPROBE_PATH: meant };
    t.match(load(`ffmpeg_path: ${given}\nffprobe_path: ${given}\n`), { ok: true, settings }, given);
    t.match(load("", { FFMPEG_PATH: given, FFPROBE_PATH: given }), { ok: true, settings }, given);
  }
});

t.test("a file that is not there", async (t) => {
  const none = path.join(home, "none.yaml");
  t.match(loadSettings(none, false, {}), { ok: true });
  t.match(loadSettings(none, true, {}), {
    ok: false,
    message: `The configuration ${none}: there is no such file.`,
  });
  t.match(loadSettings(home, false, {}), { ok: false, message: /cannot be read \(EISDIR\)/ });
});

t.test("what is wrong is said with its place and its name", async (t) => {
  const inFile = (key: string): RegExp => new RegExp(`^${file}: ${key}: .+\\.$`, "m");
  const rows: readonly [string, Record<string, string>, RegExp][] = [
    [
      "colour: red",
      {},
      new RegExp(`^${file}: colour: there is no such setting\\. The settings are: .*retry_max_ms`),
    ],
    ["__proto__: 1", {}, /__proto__: there is no such setting/],
    ["constructor: 1", {}, /constructor: there is no such setting/],
    ["retry_max_ms: soon", {}, inFile("retry_max_ms")],
    ["retry_max_ms: 99", {}, inFile("retry_max_ms")],
    ["retry_max_ms: 1.5", {}, inFile("retry_max_ms")],
    ["retry_max_ms: -1", {}, inFile("retry_max_ms")],
    ["retry_max_ms: .inf", {}, inFile("retry_max_ms")],
    ["force_kill_timeout_ms:", {}, inFile("force_kill_timeout_ms")],
    ["force_kill_timeout_ms: true", {}, inFile("force_kill_timeout_ms")],
    ["force_kill_timeout_ms: []", {}, inFile("force_kill_timeout_ms")],
    ["force_kill_timeout_ms: [5000]", {}, inFile("force_kill_timeout_ms")],
    ["force_kill_timeout_ms: ''", {}, inFile("force_kill_timeout_ms")],
    ["log_level: loud", {}, inFile("log_level")],
    ["ffmpeg_path: 5", {}, inFile("ffmpeg_path")],
    ["ffmpeg_path: ''", {}, inFile("ffmpeg_path")],
    ["log_level: debug", { LOG_LEVEL: "loud" }, /^the environment's LOG_LEVEL: .+\.$/],
    ["", { RETRY_LIMIT: "many" }, /^the environment's RETRY_LIMIT: .+\.$/],
    ["", { FORCE_KILL_TIMEOUT_MS: " " }, /^the environment's FORCE_KILL_TIMEOUT_MS: .+\.$/],
    ["- a\n- b", {}, /must hold lines such as/],
    ["just words", {}, /must hold lines such as/],
    ["false", {}, /must hold lines such as/],
    ["a: [", {}, /is not YAML: /],
    ["\tretry_max_ms: 1", {}, /is not YAML: /],
    ["a: 1\na: 2", {}, /is not YAML: .*unique/],
    ["a: 1\n---\nb: 2", {}, /is not YAML: /],
    ["\u0000\u0001\u0002", {}, /is not YAML|must hold/],
    ["a: &a [x,x]\nb: &b [*a,*a]\n", {}, /there is no such setting/],
  ];
  for (const [text, env, message] of rows) {
    t.match(
      load(text, env),
      { ok: false, message },
      `${JSON.stringify(text)} ${JSON.stringify(env)}`,
    );
  }
  const both = load("colour: red\nretry_max_ms: soon\n", { LOG_LEVEL: "loud" });
  t.equal(both.ok ? 0 : both.message.split("\n").length, 3, "all at once, one a line");
  const nasty = load('"x\\u001b[31m\\ny": 1');
  t.notOk(nasty.ok || nasty.message.includes("\u001B"), "what is repeated is printable");
});

t.test("YAML garbage is refused or understood, and never throws", async (t) => {
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
      if (!loaded.ok && loaded.message === "") t.fail(JSON.stringify(text));
    } catch (error) {
      t.fail(`${JSON.stringify(text)}: ${String(error)}`);
    }
  }
});
