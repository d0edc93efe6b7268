import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { Limits } from "../../daemon/limits/limits.ts";
import { Limits as Contract } from "../../shared/contract/daemon.ts";

const home = mkdtempSync(path.join(tmpdir(), "sb-limits-"));
t.teardown(() => rmSync(home, { recursive: true }));
let serial = 0;
/** A state directory of its own. */
const fresh = (): string => {
  const directory = path.join(home, String((serial += 1)));
  mkdirSync(directory);
  return path.join(directory, "limits.json");
};
const DEFAULTS = SettingsSchema.parse({});
const opened = (file: string, settings = () => DEFAULTS): Limits =>
  new Limits(file, settings, () => 7);

t.test("settings, and over them what was changed for good", async (t) => {
  const file = fresh();
  const limits = opened(file);
  t.equal(limits.complaint, null);
  t.same(Contract.parse(limits.toResult([])), {
    ...{ version: 1, enabled: true, perUser: 5, global: 20, users: {}, waiting: [] },
    origin: { perUser: "settings", global: "settings" },
    active: { global: 0, users: {} },
  });
  t.notOk(existsSync(file), "nothing to keep yet");
  await limits.change({ perUser: 8, users: { anna: 12, bob: 0 } });
  limits.limiter.registerStream("radio", "anna");
  const result = limits.toResult(["news"]);
  t.match(Contract.parse(result), {
    ...{ perUser: 8, global: 20, users: { anna: 12, bob: 0 }, waiting: ["news"] },
    origin: { perUser: "limits", global: "settings" },
    active: { global: 1, users: { anna: 1 } },
  });

  const next = opened(file);
  t.same(next.limiter.values, { perUser: 8, global: 20, users: { anna: 12, bob: 0 } });
  await next.change({ perUser: null, global: 3, users: { bob: null, nobody: null } });
  t.same(opened(file).limiter.values, { perUser: 5, global: 3, users: { anna: 12 } });
  t.same([next.hasOwn("anna"), next.hasOwn("bob")], [true, false]);
  await next.change({ perUser: 0 });
  t.match(next.toResult([]), { perUser: 0, origin: { perUser: "limits" } }, "0 is a limit");
  t.same(readdirSync(path.dirname(file)), ["limits.json"]);
});

t.test("settings that change are taken up by refresh()", async (t) => {
  let settings = DEFAULTS;
  const limits = opened(fresh(), () => settings);
  await limits.change({ global: 1 });
  let told = 0;
  limits.limiter.onRoom(() => (told += 1));
  limits.limiter.registerStream("a", "anna");
  settings = { ...DEFAULTS, MAX_CONCURRENT_STREAMS_PER_USER: 9, MAX_CONCURRENT_STREAMS_GLOBAL: 99 };
  limits.refresh();
  await Promise.resolve();
  t.match(limits.limiter.values, { perUser: 9, global: 1 }, "what limits set said stays");
  t.equal(told, 1);
  t.match(limits.limiter.reserve("b", "anna"), { scope: "global" });
  settings = { ...settings, LIMITER_ENABLED: false };
  limits.refresh();
  t.equal(limits.limiter.reserve("b", "anna"), null);
  t.match(limits.toResult([]), { enabled: false, active: { global: 2 } });
  settings = { ...settings, LIMITER_ENABLED: true };
  limits.refresh();
  t.match(limits.limiter.reserve("c", "anna"), { scope: "global", globalCount: 2 });
});

t.test("changes at the same time are all there", async (t) => {
  const file = fresh();
  const limits = opened(file);
  const users = Array.from({ length: 30 }, (_, n) => `user${n}`);
  await Promise.all(users.map((user, n) => limits.change({ users: { [user]: n } })));
  t.equal(Object.keys(opened(file).limiter.values.users).length, 30);
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`u${n}`, 1]));
  await t.rejects(limits.change({ perUser: 1, users: many }), { code: "INVALID_SPEC" });
  t.match(limits.limiter.values, { perUser: 5 }, "all of it or nothing");
});

t.test("a file that is no such file is set aside, and reported", async (t) => {
  const bad = [
    "",
    "{",
    "[]",
    '{"version":0,"perUser":1,"global":null,"users":{}}',
    '{"version":1,"perUser":-1,"global":null,"users":{}}',
    '{"version":1,"perUser":1,"global":1.5,"users":{}}',
    '{"version":1,"perUser":1,"global":1,"users":{"anna":"many"}}',
  ];
  for (const text of bad) {
    const file = fresh();
    writeFileSync(file, text);
    const limits = opened(file);
    t.match(
      limits.complaint,
      /limits\.json could not be read .* set aside as limits\.json\.unreadable-7/,
      text,
    );
    t.match(limits.limiter.values, { perUser: 5, global: 20 });
    t.equal(readFileSync(`${file}.unreadable-7`, "utf8"), text, "nothing is lost");
    await limits.change({ global: 4 });
    t.match(opened(file), { complaint: null, limiter: { values: { global: 4 } } });
  }
  const file = fresh();
  writeFileSync(`${file}.0b5e.tmp`, "half");
  t.equal(opened(file).complaint, null);
  t.same(readdirSync(path.dirname(file)), [], "half a write is cleared away");
});

t.test("what has to stay where it is is not written over", async (t) => {
  const file = fresh();
  writeFileSync(file, "{");
  // What it would be called is taken, by something that cannot be replaced.
  mkdirSync(`${file}.unreadable-7`);
  const limits = opened(file);
  t.match(
    limits.complaint,
    /limits\.json cannot be read just now .*; it is left as it is\. Limits are/,
  );
  t.match(limits.toResult([]), { perUser: 5, origin: { perUser: "settings" } });
  await t.rejects(limits.change({ global: 9 }), {
    code: "STORAGE_FAILED",
    message: /^Nothing was changed: .*cannot be read just now/,
  });
  t.equal(readFileSync(file, "utf8"), "{");
  writeFileSync(file, '{"version":1,"perUser":2,"global":null,"users":{"anna":3}}');
  await limits.change({ global: 9 });
  const all = { perUser: 2, global: 9, users: { anna: 3 } };
  t.same([limits.limiter.values, opened(file).limiter.values], [all, all], "mended, it is heeded");
});

t.test("what cannot be saved is not in force", async (t) => {
  const file = path.join(home, "gone", "limits.json");
  const limits = opened(file);
  await t.rejects(limits.change({ global: 9 }), {
    code: "STORAGE_FAILED",
    message: /^Nothing was changed: cannot save in /,
  });
  t.match(limits.limiter.values, { global: 20 });
  mkdirSync(path.dirname(file));
  await limits.change({ perUser: 9 });
  t.match(opened(file).limiter.values, { perUser: 9, global: 20 }, "one failure ends nothing");
});
