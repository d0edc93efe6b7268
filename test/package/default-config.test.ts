import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { loadSettings } from "../../daemon/config/load.ts";
import { SETTING_NAMES } from "../../daemon/config/names.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { defaultConfig } from "../../packaging/default-config.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "sb-config-"));
t.teardown(() => rmSync(folder, { recursive: true }));

const load = (text: string): ReturnType<typeof loadSettings> => {
  const file = path.join(folder, "streambro.yaml");
  writeFileSync(file, text);
  return loadSettings({ flags: new Map(), env: {}, file, mustExist: true });
};

t.test("the file as it is installed changes nothing", async (t) => {
  const loaded = load(defaultConfig());
  t.match(loaded, { ok: true, settings: SettingsSchema.parse({}), fileFound: true });
  t.same(new Set(loaded.ok ? Object.values(loaded.origins) : []), new Set(["default"]));
});

t.test("each line, without its sign, is that setting with its default", async (t) => {
  const text = defaultConfig().replace(/^#(?=[a-z])/gm, "");
  const loaded = load(text);
  t.match(loaded, { ok: true, settings: SettingsSchema.parse({}) });
  t.same(new Set(loaded.ok ? Object.values(loaded.origins) : []), new Set(["file"]));
  t.equal(text.match(/^[a-z_]+: /gm)?.length, SETTING_NAMES.length);
});
