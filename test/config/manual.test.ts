import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { loadSettings } from "../../daemon/config/load.ts";
import { SETTING_NAMES } from "../../daemon/config/names.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { settingsHelp } from "../../daemon/config/help.ts";

const manual = readFileSync(path.resolve(import.meta.dirname, "../../docs/settings.md"), "utf8");
const defaults = SettingsSchema.parse({});

t.test("the manual and the help have every setting with its default", async (t) => {
  const rows = new Map(
    [...manual.matchAll(/^\| `([A-Z_]+)` +\| ([^|]*?) +\| /gm)].map(([, name, usual]) => [
      name,
      usual,
    ]),
  );
  t.same(new Set(rows.keys()), new Set(SETTING_NAMES));
  for (const name of SETTING_NAMES) {
    const usual = defaults[name] === "" ? "empty" : String(defaults[name]);
    t.equal(rows.get(name), usual, name);
  }
  const lines = settingsHelp().match(/^ {2}--.*/gm);
  t.equal(lines?.length, SETTING_NAMES.length);
  t.ok(lines?.every((line) => line.length <= 130));
});

t.test("the manual's file of settings is one", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "sb-manual-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, "streambro.yaml");
  const example = /```yaml\n([^]*?)```/.exec(manual)?.[1] ?? "";
  writeFileSync(file, example);
  const loaded = loadSettings({ file, mustExist: true, env: {}, flags: new Map() });
  t.match(loaded, { ok: true, settings: { FORCE_KILL_TIMEOUT_MS: 8_000, LOG_LEVEL: "warn" } });
});
