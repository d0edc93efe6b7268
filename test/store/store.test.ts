import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { z } from "zod";
import { NO_ENCODING } from "../../shared/contract/spec.ts";
import { removeDurably, writeAtomically } from "../../daemon/store/atomic-file.ts";
import { takeFileLock } from "../../daemon/store/file-lock.ts";
import type { Layout } from "../../daemon/store/layout.ts";
import { Records } from "../../daemon/store/records.ts";
import { clearRemains } from "../../daemon/store/remains.ts";
import { claimRuns } from "../../daemon/store/runs-claim.ts";
import type { MemoryRecord, SpecRecord } from "../../daemon/store/schemas.ts";
import { SecretStore } from "../../daemon/store/secrets.ts";
import { takeStateLock } from "../../daemon/store/state-lock.ts";
import { Store } from "../../daemon/store/store.ts";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-store-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
let serial = 0;
const folder = (): string => {
  const made = path.join(home, String((serial += 1)));
  mkdirSync(made);
  return made;
};
const Schema = z.object({ version: z.literal(1), n: z.number() });
const source = (name: string): string =>
  path.resolve(import.meta.dirname, "../../daemon/store", name);

// Before the first test: what is awaited between two may find that the file has ended.
const traced = await command("strace", ["-o", "/dev/null", "true"]).catch(() => null);
const noStrace = traced?.code === 0 ? false : "strace cannot be used here";

const TMPFS = ["-t", "tmpfs", "-o", "size=32k", "tmpfs"];
const canMount = async (): Promise<boolean> => {
  const directory = folder();
  if (process.getuid?.() !== 0 || (await command("mount", [...TMPFS, directory])).code !== 0)
    return false;
  await output("umount", [directory]);
  return true;
};
const noTmpfs = (await canMount()) ? false : "a tmpfs cannot be mounted here";

t.test("what a killed daemon left half-written is in nobody's way", async (t) => {
  // In a container the next daemon has the same pid, and counts from 1 again.
  const file = path.join(folder(), "radio.json");
  for (let n = 0; n < 200; n += 1) writeFileSync(`${file}.${process.pid}.${n}.tmp`, "half");
  await t.resolves(writeAtomically(file, "whole", 0o640));
  t.equal(readFileSync(file, "utf8"), "whole");
});

t.test("a file is replaced whole, with its mode, or not at all", async (t) => {
  const directory = folder();
  const file = path.join(directory, "x.json");
  await writeAtomically(file, "one", 0o644);
  await writeAtomically(file, "two", 0o600);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(readFileSync(file, "utf8"), "two");
  mkdirSync(path.join(directory, "taken.json"));
  await t.rejects(writeAtomically(path.join(directory, "taken.json"), "x", 0o600));
  await t.rejects(writeAtomically(path.join(directory, "no/where.json"), "x", 0o600), {
    code: "ENOENT",
  });
  t.same(readdirSync(directory).sort(), ["taken.json", "x.json"], "no temporary file");
  await removeDurably(file);
  await removeDurably(file);
  t.notOk(existsSync(file));
});

t.test(
  "writes reach the disk in the order that makes them durable",
  { skip: noStrace },
  async (t) => {
    const directory = folder();
    const trace = path.join(directory, "trace");
    const file = path.join(directory, "x.json");
    const script = `const { writeAtomically } = await import(${JSON.stringify(source("atomic-file.ts"))}); await writeAtomically(${JSON.stringify(file)}, "hello", 0o600);`;
    const calls = "trace=openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2";
    await command(
      "strace",
      ["-f", "-y", "-o", trace, "-e", calls, process.execPath, "--input-type=module", "-e", script],
      { env: plainEnvironment() },
    );
    const order = readFileSync(trace, "utf8")
      .split("\n")
      .flatMap((line) => {
        const [, call = ""] = /^\d+ +(\w+)\(/.exec(line) ?? [];
        if (call.startsWith("rename") && line.includes(file)) return ["rename"];
        if (/^(p?write)/.test(call) && line.includes(`${file}.`)) return ["write"];
        if (call === "fsync" && line.includes(`${file}.`)) return ["fsync"];
        if (call === "fsync" && line.includes(`<${directory}>`)) return ["fsync directory"];
        return [];
      });
    t.same(order, ["write", "fsync", "rename", "fsync directory"]);
  },
);

t.test("a full disk leaves what was there, and says so", { skip: noTmpfs }, async (t) => {
  const directory = folder();
  await output("mount", [...TMPFS, directory]);
  t.teardown(async () => command("umount", [directory]));
  const records = new Records(directory, z.object({ text: z.string() }), 0o640);
  await records.write("radio", { text: "old" });
  const failing = records.write("radio", { text: "x".repeat(100_000) });
  await t.rejects(failing, {
    code: "STORAGE_FAILED",
    message: /^Nothing was changed: .*the disk is full/,
  });
  t.same(readdirSync(directory), ["radio.json"]);
  t.same(records.readAll(() => 1).records.get("radio"), { text: "old" });
  const secrets = new SecretStore(directory);
  await t.rejects(secrets.write("radio", 1, [{ rtmp_playpath: "x".repeat(100_000) }]), {
    code: "STORAGE_FAILED",
  });
  t.same(readdirSync(directory), ["radio.json"]);
  await records.write("radio", { text: "with room again" });
});

t.test("what does not parse is set aside, and nothing else is lost", async (t) => {
  const directory = folder();
  const text = JSON.stringify({ version: 1, n: 5 });
  const bad = [
    "",
    text.slice(0, 9),
    "null",
    "[]",
    "\u0000\u0000",
    JSON.stringify({ version: 0, n: 5 }),
    JSON.stringify({ version: "2", n: 5 }),
    JSON.stringify({ n: 5 }),
    JSON.stringify({ version: 1, n: "5" }),
  ];
  for (const [n, content] of bad.entries())
    writeFileSync(path.join(directory, `bad${n}.json`), content);
  writeFileSync(
    path.join(directory, "good.json"),
    JSON.stringify({ version: 1, n: 5, newer: true }),
  );
  const foreign = [
    "README",
    "UPPER.json",
    ".hidden.json",
    "old.json.unreadable-1",
    "a b.json",
    "x.JSON",
  ];
  for (const name of foreign) writeFileSync(path.join(directory, name), "{");
  const records = new Records(directory, Schema, 0o640);
  const { records: found, setAside } = records.readAll(() => 77);
  t.same([...found], [["good", { version: 1, n: 5 }]]);
  t.equal(setAside.length, bad.length);
  for (const [n, content] of bad.entries()) {
    const moved = path.join(directory, `bad${n}.json.unreadable-77`);
    t.equal(readFileSync(moved, "utf8"), content, "kept whole");
    t.match(
      setAside.find(({ movedTo }) => movedTo === moved),
      { file: path.join(directory, `bad${n}.json`), why: /^[^\n]+$/ },
    );
  }
  for (const name of foreign) t.ok(existsSync(path.join(directory, name)), name);
  t.same(records.readAll(() => 78).setAside, [], "once");
});

t.test("what cannot be read at all does not keep a daemon from starting", async (t) => {
  const directory = folder();
  mkdirSync(path.join(directory, "folder.json"));
  symlinkSync("/nowhere/at/all", path.join(directory, "dangling.json"));
  symlinkSync("loop.json", path.join(directory, "loop.json"));
  writeFileSync(path.join(directory, "good.json"), '{"version":1,"n":1}');
  const records = new Records(directory, Schema, 0o640);
  t.doesNotThrow(() => t.same([...records.readAll(() => 1).records.keys()], ["good"]));
});

t.test("writes of one name never overtake each other", async (t) => {
  const directory = folder();
  const records = new Records(directory, Schema, 0o640);
  const work: Promise<void>[] = [];
  for (let n = 0; n < 60; n += 1) {
    for (const name of ["a", "b"])
      work.push(n === 30 ? records.remove(name) : records.write(name, { version: 1, n }));
  }
  await Promise.all(work);
  t.same(readdirSync(directory).sort(), ["a.json", "b.json"]);
  t.same(
    [...records.readAll(() => 1).records.values()],
    [
      { version: 1, n: 59 },
      { version: 1, n: 59 },
    ],
  );
  const gone = new Records(path.join(directory, "gone"), Schema, 0o640);
  const results = await Promise.allSettled([
    gone.write("a", { version: 1, n: 1 }),
    gone.write("a", { version: 1, n: 2 }),
  ]);
  t.same(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
    "a failure does not hold up the next",
  );
});

t.test("keys: private, one file a revision, pruned by name", async (t) => {
  const directory = folder();
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  const secrets = new SecretStore(directory);
  await secrets.write("radio", 1, [{ rtmp_playpath: "one" }]);
  await secrets.write("radio", 2, [{ rtmp_playpath: "two" }]);
  await secrets.write("radio.x", 1, [{}]);
  for (const entry of readdirSync(directory))
    t.equal(statSync(path.join(directory, entry)).mode & 0o777, 0o600, entry);
  t.same(secrets.read("radio", 1), [{ rtmp_playpath: "one" }]);
  t.same(secrets.read("radio", 2), [{ rtmp_playpath: "two" }]);
  t.equal(secrets.read("radio", 3), null);
  await secrets.prune("radio", 2);
  t.same(readdirSync(directory).sort(), ["radio.x@1.json", "radio@2.json"]);
  writeFileSync(path.join(directory, "radio@2.json"), '{"version":1,"outp');
  t.equal(secrets.read("radio", 2), null);
  await secrets.prune("radio", null);
  t.same(readdirSync(directory), ["radio.x@1.json"]);
});

const record = (name: string): SpecRecord => ({
  version: 1,
  keys: null,
  desired: "running",
  stopAt: null,
  stopBy: null,
  spec: {
    name,
    owner: "anna",
    input: "/film.mp4",
    loop: true,
    mode: "copy",
    encoding: NO_ENCODING,
    onResourceBreach: "warn",
    outputs: [{ url: "rtmp://h/a", hasKey: false }],
    revision: 1,
  },
});

t.test("the whole store: modes, forgetting, and a file under another stream's name", async (t) => {
  const state = folder();
  const store = new Store(state, folder());
  for (const [name, mode] of [
    ["keys", 0o700],
    ["streams", 0o700],
    ["memory", 0o700],
    ["locks", 0o700],
    ["logs", 0o700],
  ] as const) {
    t.equal(statSync(path.join(state, name)).mode & 0o777, mode, name);
  }
  await store.specs.write("radio", record("radio"));
  await store.secrets.write("radio", 1, [{ rtmp_playpath: "x" }]);
  for (const file of ["logs/radio.log", "logs/radio.log.1", "locks/radio", "memory/radio.json"])
    writeFileSync(path.join(state, file), "{}");
  // A daemon that was killed in the middle of a write leaves these.
  for (const file of ["streams/radio.json.9.9.tmp", "memory/radio.json.9.9.tmp"])
    writeFileSync(path.join(state, file), "{");
  mkdirSync(path.join(store.layout.runs, "radio"));
  await store.forget("radio");
  const left = ["streams", "keys", "memory", "locks", "logs"].flatMap((name) =>
    readdirSync(path.join(state, name)),
  );
  t.same(left, [], "no file of it is left");
  t.notOk(existsSync(path.join(store.layout.runs, "radio")));

  await store.specs.write("radio", record("radio"));
  writeFileSync(path.join(store.layout.streams, "copy.json"), JSON.stringify(record("radio")));
  const { specs, setAside } = store.load(() => 5);
  t.same(
    [...specs.values()].map(({ spec }) => spec.name),
    ["radio"],
    "one stream has one owner",
  );
  t.equal(setAside.length, 1, "the copy is set aside");
});

const MEMORY: MemoryRecord = {
  version: 1,
  reached: null,
  failuresAtPosition: 0,
  restarts: 0,
  fallback: null,
  lastExit: null,
  rest: { is: "stopped", since: 1 },
};

t.test("what only cannot be read just now stays where it is", async (t) => {
  const store = new Store(folder(), folder());
  const { streams, memory } = store.layout;
  await store.specs.write("good", record("good"));
  // A regular file, and reading it is an input/output error.
  for (const directory of [streams, memory])
    symlinkSync("/proc/self/mem", path.join(directory, "sick.json"));
  execFileSync("mkfifo", [path.join(streams, "pipe.json")]);
  const { specs, setAside, unread, left } = store.load(() => 5);
  t.same([...specs.keys()], ["good"]);
  t.same([...left.keys()], ["sick"]);
  t.same(
    unread.map(({ file }) => file),
    [path.join(memory, "sick.json")],
  );
  const file = path.join(streams, "sick.json");
  t.match(left.get("sick"), { name: "sick", file, isNewer: false, why: /^EIO/ });
  const memories = store.memories;
  await t.rejects(memories.write("sick", MEMORY), {
    code: "STORAGE_FAILED",
    message: /sick\.json is there and was not read: EIO/,
  });
  t.ok(lstatSync(path.join(streams, "sick.json")).isSymbolicLink(), "under its own name");
  t.same(
    setAside.map(({ movedTo }) => movedTo),
    [path.join(streams, "pipe.json.unreadable-5")],
    "what is no file never gets better",
  );
});

t.test("keys that cannot be read", async (t) => {
  const store = new Store(folder(), folder());
  const { keys } = store.layout;
  for (const name of ["whole", "sick", "damaged", "gone"]) {
    await store.specs.write(name, { ...record(name), keys: 1 });
    await store.secrets.write(name, 1, [{ key: name }]);
  }
  const at = (name: string): string => path.join(keys, `${name}@1.json`);
  rmSync(at("sick"));
  symlinkSync("/proc/self/mem", at("sick"));
  writeFileSync(at("damaged"), '{"version":1,');
  rmSync(at("gone"));
  const { specs, left, lostKeys } = store.load(() => 5);
  t.same([...left.keys()], ["sick"], "which may well be good, and is not taken for lost");
  t.match(left.get("sick"), { isNewer: false, file: at("sick"), why: /^EIO/ });
  t.same([...specs.keys()].sort(), ["damaged", "gone", "whole"], "a new key can be given");
  t.same(lostKeys.map(({ name }) => name).sort(), ["damaged", "gone"]);
});

t.test("a stream that is forgotten stays forgotten, whatever goes wrong after", async (t) => {
  const store = new Store(folder(), folder());
  await store.specs.write("radio", record("radio"));
  await store.secrets.write("radio", 1, [{ rtmp_playpath: "x" }]);
  writeFileSync(path.join(store.layout.logs, "radio.log"), "");
  writeFileSync(path.join(store.layout.locks, "radio"), "");
  rmSync(store.layout.memory, { recursive: true });
  t.match(await store.forget("radio"), ["the memory of radio"]);
  t.notOk(existsSync(path.join(store.layout.streams, "radio.json")));
  t.same(
    [store.layout.keys, store.layout.logs, store.layout.locks].flatMap((one) => readdirSync(one)),
    [],
    "all the rest is gone",
  );
  rmSync(store.layout.streams, { recursive: true });
  await t.rejects(store.specs.write("radio", record("radio")));
  mkdirSync(path.join(store.layout.streams, "radio.json"), { recursive: true });
  await store.secrets.write("radio", 1, [{}]);
  await t.rejects(store.forget("radio"), { code: "STORAGE_FAILED" });
  t.same(readdirSync(store.layout.keys), ["radio@1.json"], "with its specification all stays");
});

t.test("what a crash left of streams that are no more", async (t) => {
  const { layout } = new Store(folder(), folder());
  const outside = folder();
  writeFileSync(path.join(outside, "precious"), "");
  const put = (name: keyof Layout, ...entries: string[]): void => {
    for (const entry of entries) writeFileSync(path.join(layout[name], entry), "{}");
  };
  for (const name of ["here", "gone", "mended", "on-air", "held"]) {
    put("keys", `${name}@1.json`, `${name}@12.json`);
    put("memory", `${name}.json`);
    put("locks", name);
    put("logs", `${name}.log`, `${name}.log.1`);
  }
  put("streams", "mended.json.unreadable-77");
  put("keys", "here@3.json.1-2-3.tmp");
  // Nobody's: operators keep notes in the strangest places.
  put("keys", "README", "UPPER@1.json");
  put("memory", "gone.json.unreadable-5", "notes.txt");
  put("logs", "gone.log.2", "gone");
  put("locks", ".hidden");
  mkdirSync(path.join(layout.memory, "folder.json"));
  symlinkSync(outside, path.join(layout.locks, "link"));
  symlinkSync(path.join(outside, "precious"), path.join(layout.logs, "link.log"));
  const before = new Set(
    ["keys", "memory", "locks", "logs"].flatMap((name) =>
      readdirSync(path.join(layout[name as "keys"])).map((entry) => `${name}/${entry}`),
    ),
  );
  const holder = takeFileLock(path.join(layout.locks, "held"));
  t.equal(holder.is, "taken");
  t.equal(clearRemains(layout, new Set(["here", "on-air"])), 7);
  const left = new Set(
    ["keys", "memory", "locks", "logs"].flatMap((name) =>
      readdirSync(path.join(layout[name as "keys"])).map((entry) => `${name}/${entry}`),
    ),
  );
  t.same([...before].filter((entry) => !left.has(entry)).sort(), [
    "keys/gone@1.json",
    "keys/gone@12.json",
    "keys/here@3.json.1-2-3.tmp",
    "locks/gone",
    "logs/gone.log",
    "logs/gone.log.1",
    "memory/gone.json",
  ]);
  t.ok(existsSync(path.join(outside, "precious")));
  t.equal(clearRemains(layout, new Set(["here", "on-air"])), 0);
  if (holder.is === "taken") holder.lock.release();
});

t.test("a directory of runs belongs to one state directory", async (t) => {
  const runs = path.join(folder(), "runtime/runs");
  const other = (state: string): string => {
    const script = `const { claimRuns } = await import(${JSON.stringify(source("runs-claim.ts"))});
      const claimed = claimRuns(${JSON.stringify(runs)}, ${JSON.stringify(state)}); console.log(claimed.ok ? "claimed" : claimed.message);`;
    const argv = ["--input-type=module", "-e", script];
    return execFileSync(process.execPath, argv, { env: plainEnvironment(), encoding: "utf8" });
  };
  const first = claimRuns(runs, "/one");
  if (!first.ok) throw new Error(first.message);
  t.equal(statSync(runs).mode & 0o777, 0o700);
  t.not(statSync(path.dirname(runs)).mode & 0o005, 0, "others may pass to the socket");
  const refusal =
    /^The runtime directory \S+runtime is .* state directory is \/one and not \/two\. Set STREAMBRO_RUNTIME_DIR/;
  t.match(other("/two"), refusal, "while the first lives, with no run at all");
  mkdirSync(path.join(runs, "radio"));
  first.claim.release();
  t.match(other("/two"), refusal, "with a run of the first");
  t.ok(existsSync(path.join(runs, "radio")));
  t.equal(other("/one"), "claimed\n");
  rmSync(path.join(runs, "radio"), { recursive: true });
  t.equal(other("/two"), "claimed\n", "none is left");
  t.match(other("/one"), "claimed");

  const again = claimRuns(runs, "/one");
  if (!again.ok) throw new Error(again.message);
  t.equal(again.claim.hold(), null);
  rmSync(path.dirname(runs), { recursive: true });
  t.equal(again.claim.hold(), null);
  t.match(other("/two"), refusal, "wiped, and claimed again");
  rmSync(path.dirname(runs), { recursive: true });
  writeFileSync(path.dirname(runs), "in the way");
  t.match(again.claim.hold(), /^Cannot claim /);
  rmSync(path.dirname(runs));
  t.equal(again.claim.hold(), null, "and in the end it has it");
  again.claim.release();
});

t.test("one daemon a state directory", async (t) => {
  const file = path.join(folder(), "daemon.lock");
  const script = `const { takeStateLock } = await import(${JSON.stringify(source("state-lock.ts"))});
    const lock = takeStateLock(${JSON.stringify(file)}, 4711); console.log(lock.ok ? "taken" : lock.message);
    if (lock.ok && process.argv[1] === "die") process.kill(process.pid, "SIGKILL");`;
  const other = async (...args: string[]): Promise<string> =>
    (
      await command(process.execPath, ["--input-type=module", "-e", script, ...args], {
        env: plainEnvironment(),
      })
    ).stdout.trim();
  const mine = takeStateLock(file, 1234);
  t.ok(mine.ok);
  const refusal = /^Another streambrod \(pid 1234\) has the state directory \S+\. .*: kill 1234$/;
  t.match(await other(), refusal, "the holder is named");
  t.match(takeStateLock(file, 5), { ok: false, message: refusal }, "in one process too");
  if (mine.ok) mine.release();
  t.equal(await other("die"), "taken");
  const again = takeStateLock(file, 99_999);
  t.ok(again.ok, "a killed daemon holds nothing");
  t.equal(readFileSync(file, "utf8"), "99999\n");
  if (again.ok) again.release();
});

t.test("a state directory that cannot be locked", async (t) => {
  const file = path.join(folder(), "daemon.lock");
  mkdirSync(file);
  t.match(takeStateLock(file, 1), { ok: false, message: /^Cannot lock .*daemon\.lock: EISDIR/ });
  const { PATH = "" } = process.env;
  t.teardown(() => (process.env["PATH"] = PATH));
  process.env["PATH"] = folder();
  const message = /^Cannot lock .*: flock is missing: install the package util-linux\.$/;
  t.match(takeStateLock(path.join(folder(), "daemon.lock"), 1), { ok: false, message });
});
