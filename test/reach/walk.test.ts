import {
  closeSync,
  fstatSync,
  mkdtempSync,
  mkdirSync,
  rmSync,
  chmodSync,
  chownSync,
  symlinkSync,
  writeFileSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { createRequire } from "node:module";
import t from "tap";
import { loadNative } from "../../daemon/reach/native.ts";
import { UNJUDGED, type Walked, walk } from "../../daemon/reach/walk.ts";
import { ANNA, BOB, SERVICE } from "../helpers/as-user.ts";
import { output } from "../helpers/command.ts";
import { seeded } from "../helpers/seeded.ts";
import { SHARED, growTree, setAccessList } from "./tree.ts";

const { accessListOf } = loadNative();
const isRoot = process.geteuid?.() === 0;
const skip = isRoot ? false : "only root can be several users";

const scratch = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), "sb-walk-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
};

const whoever = (uid: number, ...groups: number[]) => ({ uid, groups: new Set(groups) });

/** Opened, and by which inode; or why not. */
const outcome = (walked: Walked): string => {
  if (!walked.ok) return walked.is;
  const { ino } = fstatSync(walked.fd);
  closeSync(walked.fd);
  return `opened ${ino}`;
};

/** The kernel's own verdict, for all names in one process: the inode, or that it may not be read. */
const verdicts = async (
  names: readonly string[],
  uid: number,
  groups: readonly number[],
): Promise<readonly string[]> => {
  const ids = ["--reuid", String(uid), "--regid", String(groups[0]), "--groups", groups.join(",")];
  const script = `for f; do if [ -f "$f" ] && [ -r "$f" ]; then stat -L -c %i -- "$f"; else echo -; fi; done`;
  const told = await output("setpriv", [...ids, "sh", "-c", script, "sh", ...names], { cwd: "/" });
  return told.trimEnd().split("\n");
};

t.test("the walker judges as the kernel does", { skip, timeout: 60_000 }, async (t) => {
  const root = scratch();
  const probe = path.join(root, "probe");
  writeFileSync(probe, "");
  const withLists = setAccessList(probe, [
    [0x01, 6, 0xffffffff],
    [0x04, 4, 0xffffffff],
    [0x20, 4, 0xffffffff],
  ]);
  if (!withLists) t.comment("no access lists: this file system keeps none");
  const { seed, random } = seeded();
  t.comment(`STREAMBRO_TEST_SEED=${seed}`);
  const names = growTree(root, random, withLists);
  const people: readonly [number, readonly number[]][] = [
    [ANNA, [ANNA]],
    [ANNA, [SHARED, ANNA]],
    [BOB, [BOB, SHARED]],
    [SERVICE, [SERVICE]],
    [4_999, [4_999]],
    [4_998, [ANNA, BOB, SHARED]],
  ];
  let opened = 0;
  for (const [uid, groups] of people) {
    const told = await verdicts(names, uid, groups);
    const wrong = names.flatMap((name, n) => {
      const mine = outcome(walk(name, whoever(uid, ...groups), accessListOf));
      const theirs = told[n] === "-" ? "-" : `opened ${told[n]}`;
      if (mine.startsWith("opened")) opened += 1;
      return (mine.startsWith("opened") ? mine : "-") === theirs
        ? []
        : [`${name}: ${mine}, kernel ${theirs}`];
    });
    t.same(wrong, [], `uid ${uid}, groups ${groups.join(" ")}`);
  }
  t.ok(opened > 20, `${opened} of ${names.length * people.length} opened`);
});

t.test("what is no file on a disk", async (t) => {
  const root = scratch();
  const me = whoever(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  const at = (name: string): string => path.join(root, name);
  const is = (name: string): string => outcome(walk(name, me, accessListOf));
  await output("mkfifo", [at("fifo")]);
  writeFileSync(at("film"), "x");
  symlinkSync("/proc/self/fd/0", at("magic"));
  symlinkSync("/proc/self/root/etc/passwd", at("around"));
  symlinkSync("loop", at("loop"));
  symlinkSync("fifo", at("to-fifo"));
  for (let n = 0; n < 41; n++) symlinkSync(n === 0 ? "film" : `deep${n - 1}`, at(`deep${n}`));
  const rows: readonly [string, string][] = [
    ["/proc/self/environ", "special"],
    [`/proc/${process.pid}/fd/0`, "special"],
    ["/dev/fd/0", "special"],
    ["/dev/stdin", "special"],
    ["/dev/zero", "special"],
    ["/sys/kernel/notes", "special"],
    [at("magic"), "special"],
    [at("around"), "special"],
    [at("fifo"), "special"],
    [at("to-fifo"), "special"],
    [at("loop"), "unreadable"],
    [at("deep40"), "unreadable"],
    [root, "directory"],
    ["/", "directory"],
    [at("none"), "missing"],
    [at("film/below"), "missing"],
    [`${root}/none/../film`, "missing"],
    ["x".repeat(300), "unreadable"],
  ];
  for (const [name, expected] of rows) t.equal(is(name), expected, name.slice(0, 60));
  const opened = `opened ${statSync(at("film")).ino}`;
  t.equal(is(at("film")), opened);
  t.equal(is(at("deep39")), opened, "forty links, as the kernel");
  t.equal(is(`${root}//./x/../film`), "missing");
  t.equal(is(`/..${root}//./film`), opened);
  const cannotTell = (): never => {
    throw Object.assign(new Error(), { code: UNJUDGED });
  };
  t.equal(outcome(walk(at("film"), whoever(4_999, 4_999), cannotTell)), "unjudged");
});

/** Swaps two names without end, in a thread of its own. */
const swapping = (one: string, other: string): Worker => {
  const koffi = createRequire(import.meta.url).resolve("koffi");
  const script = `
    const koffi = require(${JSON.stringify(koffi)});
    const swap = koffi.load(null).func("int renameat2(int, const char *, int, const char *, unsigned int)");
    const { workerData: [a, b], parentPort } = require("node:worker_threads");
    parentPort.postMessage(swap(-100, a, -100, b, 2));
    for (const until = Date.now() + 10_000; Date.now() < until;) swap(-100, a, -100, b, 2);`;
  return new Worker(script, { eval: true, workerData: [one, other] });
};

t.test("names that are swapped under the walk", { skip, timeout: 60_000 }, async (t) => {
  const root = scratch();
  const at = (name: string): string => path.join(root, name);
  // What anna may read, and what lies behind bob's door, open to all if one were there.
  for (const [folder, uid, mode] of [
    ["hers", ANNA, 0o755],
    ["his", BOB, 0o700],
  ] as const) {
    mkdirSync(at(folder));
    writeFileSync(at(`${folder}/film`), folder);
    chownSync(at(folder), uid, uid);
    chmodSync(at(folder), mode);
    chmodSync(at(`${folder}/film`), 0o644);
  }
  chmodSync(root, 0o777);
  symlinkSync("hers/film", at("link"));
  symlinkSync("his/film", at("link2"));
  mkdirSync(at("folder"));
  writeFileSync(at("folder/film"), "hers");
  symlinkSync("his", at("folder2"));
  const secret = `opened ${statSync(at("his/film")).ino}`;
  for (const [name, other, opened] of [
    ["link", "link2", "link"],
    ["folder", "folder2", "folder/film"],
  ] as const) {
    const worker = swapping(at(name), at(other));
    const first = await new Promise((resolve) => worker.once("message", resolve));
    if (first !== 0) {
      await worker.terminate();
      t.comment("this file system swaps no names");
      continue;
    }
    const seen = new Map<string, number>();
    for (let n = 0; n < 4_000; n++) {
      const is = outcome(walk(at(opened), whoever(ANNA, ANNA), accessListOf));
      seen.set(is, (seen.get(is) ?? 0) + 1);
    }
    await worker.terminate();
    t.notOk(seen.has(secret), `${name}: ${JSON.stringify([...seen])}`);
    t.ok(
      [...seen.keys()].some((is) => is.startsWith("opened")) && seen.has("forbidden"),
      "it was a race",
    );
  }
});
