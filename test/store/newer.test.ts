import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { removeOrphans } from "../../daemon/cleanup/orphans.ts";
import { readMemo, writeMemo } from "../../daemon/encoders/memo.ts";
import { Limits } from "../../daemon/limits/limits.ts";
import { readKept } from "../../daemon/metrics/keeper.ts";
import { takeFileLock } from "../../daemon/store/file-lock.ts";
import { keepUnknown } from "../../daemon/store/keep-unknown.ts";
import { Store } from "../../daemon/store/store.ts";
import { thaw } from "../formats/frozen.ts";
import { filesOf } from "../formats/kinds.ts";

type Json = Record<string, any>;

const thawed = (t: Test): { dir: string; store: () => Store } => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-newer-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  thaw("0.1", dir);
  return { dir, store: () => new Store(path.join(dir, "state"), path.join(dir, "run")) };
};

const edit = (file: string, change: (json: Json) => void): void => {
  const json = JSON.parse(readFileSync(file, "utf8")) as Json;
  change(json);
  writeFileSync(file, JSON.stringify(json));
};

const says = (file: string): Json => JSON.parse(readFileSync(file, "utf8")) as Json;

t.test("one newer file of a stream, and nothing of it is touched", async (t) => {
  const { dir, store } = thawed(t);
  const newer = (at: string): void =>
    edit(path.join(dir, "state", at), (json) => (json["version"] = 2));
  newer("streams/stopped.json");
  newer("memory/finished.json");
  newer("keys/new@1.json");
  const before = filesOf(dir);
  const opened = store();
  const { specs, left, setAside, unread } = opened.load(() => 7);
  t.same([...left.keys()].sort(), ["finished", "new", "stopped"]);
  t.same([setAside, unread], [[], []]);
  for (const name of left.keys()) t.notOk(specs.has(name), name);
  t.match(left.get("stopped"), {
    isNewer: true,
    file: path.join(dir, "state/streams/stopped.json"),
    why: /newer StreamBro: its format is version 2, and this release reads up to 1/,
    said: { spec: { name: "stopped" } },
  });
  removeOrphans(opened, new Set([...specs.keys(), ...left.keys()]));
  const refused = { code: "STORAGE_FAILED", message: /is there and was not read: .*newer/ };
  const record = specs.get("copied");
  if (record === undefined) throw new Error("a kept stream is missing");
  await t.rejects(opened.specs.write("stopped", record), refused);
  t.same(filesOf(dir), before, "every byte is where it was");
});

t.test("what belongs to all streams", async (t) => {
  const { dir, store } = thawed(t);
  const { limits: file, metrics, encoders } = store().layout;
  for (const one of [file, metrics, encoders]) edit(one, (json) => (json["version"] = 2));
  const before = filesOf(dir);
  const limits = new Limits(
    file,
    () => ({
      MAX_CONCURRENT_STREAMS_PER_USER: 5,
      MAX_CONCURRENT_STREAMS_GLOBAL: 20,
      LIMITER_ENABLED: true,
    }),
    () => 7,
  );
  t.match(limits.complaint, /limits\.json is left as it is: it was written by a newer StreamBro/);
  t.match(limits.limiter.values, { perUser: 5, global: 20 }, "those of the settings");
  await t.rejects(limits.change({ global: 3 }), {
    code: "STORAGE_FAILED",
    message: /^Nothing was changed: .*newer StreamBro/,
  });
  t.match(readKept(metrics, 7), { isUnread: true, warning: /newer StreamBro/ });
  t.equal(await readMemo(encoders), null);
  const tried = { program: null, devices: [], hardware: true, trials: "" };
  await writeMemo(encoders, {
    version: 1,
    circumstances: tried,
    ffmpeg: null,
    at: "",
    encoders: [],
  });
  t.same(filesOf(dir), before, "every byte is where it was");
});

t.test("what an older release rewrites it does not strip", async (t) => {
  const { dir, store } = thawed(t);
  const file = path.join(dir, "state/streams/copied.json");
  edit(file, (json) => {
    json["later"] = { any: ["thing"] };
    json["spec"].later = 1;
    json["spec"].outputs[0].later = 2;
    json["spec"].encoding.later = 3;
    json["spec"].onResourceBreach = "phone";
  });
  const opened = store();
  const record = opened.load(() => 7).specs.get("copied");
  if (record === undefined) throw new Error("not read");
  t.notOk("later" in record, "it does not know what it keeps");
  await opened.specs.write("copied", { ...record, desired: "stopped" });
  const kept = {
    desired: "stopped",
    later: { any: ["thing"] },
    spec: {
      later: 1,
      onResourceBreach: "phone",
      outputs: [{ later: 2 }],
      encoding: { later: 3 },
    },
  };
  t.match(says(file), kept);
  const spec = { ...record.spec, onResourceBreach: "stop" as const, revision: 2 };
  await opened.specs.write("copied", { ...record, spec });
  t.match(says(file)["spec"], { later: 1, onResourceBreach: "stop", revision: 2 });
  await opened.specs.write("copied", record);
  t.match(says(file)["spec"], { later: 1, onResourceBreach: "warn" }, "no ghost comes back");
  await opened.specs.remove("copied");
  await opened.specs.write("copied", record);
  t.notOk("later" in says(file), "another stream of that name begins anew");

  edit(path.join(dir, "state/limits.json"), (json) => (json["later"] = [1]));
  const limits = new Limits(
    path.join(dir, "state/limits.json"),
    () => ({
      MAX_CONCURRENT_STREAMS_PER_USER: 5,
      MAX_CONCURRENT_STREAMS_GLOBAL: 20,
      LIMITER_ENABLED: true,
    }),
    () => 7,
  );
  await limits.change({ users: { nobody: null } });
  t.same(says(path.join(dir, "state/limits.json")), {
    version: 1,
    perUser: 50,
    global: null,
    users: { daemon: 2 },
    later: [1],
  });
});

t.test("keeping what is unknown", async (t) => {
  const raw = JSON.parse('{"a":1,"list":[{"b":1,"x":9}],"__proto__":{"p":1}}') as Json;
  const understood = { a: 1, list: [{ b: 1 }] };
  const same = keepUnknown(raw, understood, understood);
  t.equal(
    JSON.stringify(same),
    JSON.stringify({ a: 1, list: [{ b: 1, x: 9 }], ["__proto__"]: { p: 1 } }),
  );
  t.same(Object.getPrototypeOf({}), Object.prototype);
  const longer = { a: 1, list: [{ b: 1 }, { b: 2 }] };
  t.match(keepUnknown(raw, understood, longer), longer);
  t.same(keepUnknown([], {}, 5), 5);
});

t.test("a reason that came later is written in words that any release reads", async (t) => {
  const { dir, store } = thawed(t);
  const file = path.join(dir, "state/memory/failed.json");
  const opened = store();
  const memory = opened.load(() => 7).memories.get("failed");
  if (memory?.rest.is !== "failed") throw new Error("not read");
  // As a release would have it that knows this word.
  const failure = { ...memory.rest.failure, reason: "frozen" as "unknown" };
  await opened.memories.write("failed", { ...memory, rest: { ...memory.rest, failure } });
  t.match(says(file), { rest: { failure: { reason: "unknown", exactReason: "frozen" } } });
  t.match(opened.load(() => 7).memories.get("failed"), {
    rest: { failure: { reason: "unknown" } },
  });
  edit(file, (json) => (json["rest"].failure.exactReason = "crashed"));
  t.match(opened.load(() => 7).memories.get("failed"), {
    rest: { failure: { reason: "crashed" } },
  });
});

t.test("a run that nobody here can read, of a stream that nobody knows", async (t) => {
  const { dir, store } = thawed(t);
  const opened = store();
  const { layout } = opened;
  for (const name of ["alive", "gone"]) {
    mkdirSync(path.join(layout.runs, name));
    writeFileSync(path.join(layout.runs, name, "pids"), "in another form\n");
    writeFileSync(path.join(layout.locks, name), "");
  }
  writeFileSync(path.join(layout.runs, ".later"), "what a newer release keeps there");
  const holder = takeFileLock(path.join(layout.locks, "alive"));
  if (holder.is !== "taken") throw new Error("the lock is not free");
  t.teardown(() => holder.lock.release());
  const { specs } = opened.load(() => 7);
  removeOrphans(opened, new Set(specs.keys()));
  t.ok(existsSync(path.join(layout.runs, "alive/pids")), "who holds the lock is alive");
  t.ok(existsSync(path.join(layout.runs, ".later")), "no stream is called that");
  t.notOk(existsSync(path.join(layout.runs, "gone")));
  t.ok(existsSync(path.join(dir, "run/runs/copied/run.json")));
});
