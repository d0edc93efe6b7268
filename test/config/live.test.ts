import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { LiveSettings } from "../../daemon/config/live.ts";
import { Configuration } from "../../shared/contract/daemon.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-live-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const file = path.join(home, "conf.yaml");

const start = (text: string, env: Record<string, string> = {}): LiveSettings => {
  writeFileSync(file, text);
  const flags = new Map([["RETRY_LIMIT", "4"]] as const);
  const fixed = new Set(["METRICS_LISTEN"] as const);
  const loaded = LiveSettings.load({ file, mustExist: false, env, flags }, fixed);
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded.live;
};
const told = (live: LiveSettings, name: string) =>
  Configuration.parse(live.describe()).settings.find((setting) => setting.name === name);

t.test("a reload takes up what the file says, under flags and environment", async (t) => {
  const env = { INPUT_RETRY_MS: "1000" };
  const live = start("force_kill_timeout_ms: 7000\n", env);
  const heard: [number, number][] = [];
  live.onChange((now, before) =>
    heard.push([before.FORCE_KILL_TIMEOUT_MS, now.FORCE_KILL_TIMEOUT_MS]),
  );
  t.same(live.reload(), { ok: true, changed: [], needsRestart: [] });
  env.INPUT_RETRY_MS = "2000";
  writeFileSync(file, "force_kill_timeout_ms: 8000\ninput_retry_ms: 3000\nretry_limit: 9\n");
  const changed = [{ name: "FORCE_KILL_TIMEOUT_MS", from: 7_000, to: 8_000 }];
  t.same(live.reload(), { ok: true, changed, needsRestart: [] });
  t.match(live.current(), { FORCE_KILL_TIMEOUT_MS: 8_000, INPUT_RETRY_MS: 1_000, RETRY_LIMIT: 4 });
  t.match(told(live, "INPUT_RETRY_MS"), { origin: "environment", default: 60_000, live: true });
  t.match(told(live, "RETRY_LIMIT"), { value: 4, origin: "flag" });
  writeFileSync(file, "");
  t.match(live.reload(), { changed: [{ from: 8_000, to: 5_000 }] });
  t.match(told(live, "FORCE_KILL_TIMEOUT_MS"), { value: 5_000, origin: "default" });
  t.same(heard, [
    [7_000, 8_000],
    [8_000, 5_000],
  ]);
});

t.test("wrong settings change nothing", async (t) => {
  const live = start("force_kill_timeout_ms: 7000\n");
  live.onChange(() => t.fail("nothing has changed"));
  writeFileSync(file, "force_kill_timeout_ms: 8000\nlog_level: loud\nretry_limt: 1\n");
  const before = live.describe();
  t.match(live.reload(), { ok: false, errors: [/retry_limt/, /log_level/] });
  rmSync(file);
  t.match(
    live.reload(),
    { ok: false, errors: [/there is no such file/] },
    "though it need not exist",
  );
  t.same(live.describe(), before);
});

t.test("what only a restart changes stays until then, and is told each time", async (t) => {
  const live = start("metrics_listen: 127.0.0.1:1\n");
  writeFileSync(file, "metrics_listen: 127.0.0.1:2\nlog_level: warn\n");
  const needsRestart = [{ name: "METRICS_LISTEN", from: "127.0.0.1:1", to: "127.0.0.1:2" }];
  const changed = [{ name: "LOG_LEVEL", from: "info", to: "warn" }];
  t.same(live.reload(), { ok: true, changed, needsRestart });
  t.same(live.reload(), { ok: true, changed: [], needsRestart });
  t.equal(live.current().METRICS_LISTEN, "127.0.0.1:1");
  t.match(told(live, "METRICS_LISTEN"), { live: false, pending: "127.0.0.1:2", origin: "file" });
  writeFileSync(file, "metrics_listen: 127.0.0.1:1\nlog_level: warn\n");
  t.same(live.reload(), { ok: true, changed: [], needsRestart: [] });
  t.notOk(told(live, "METRICS_LISTEN")?.pending);
});

t.test("the file is told where there is one", async (t) => {
  t.equal(start("").describe().file, file);
  const none = { file: path.join(home, "none"), mustExist: false, env: {}, flags: new Map() };
  const loaded = LiveSettings.load(none);
  const described = loaded.ok ? loaded.live.describe() : null;
  t.equal(described?.file, null);
  t.ok(
    described?.settings.every(({ live }) => live),
    "every setting can be changed",
  );
});
