import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import t, { type Test } from "tap";
import { removeOrphans } from "../../daemon/cleanup/orphans.ts";
import { Store } from "../../daemon/store/store.ts";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { killedAt, noStrace } from "../helpers/trace.ts";
import { STEPS, memoryOf, recordOf, secretsOf } from "./killed-writer.ts";

/** All of it takes a minute more: the power is lost at every call, and not only after each step. */
const LONG = process.env["STREAMBRO_TEST_LONG"] === "1";

const home = mkdtempSync(path.join(tmpdir(), "sb-kill-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
// In one file it starts three times as fast, and it starts more than a hundred times.
const WRITER = path.join(home, "killed-writer.mjs");
await build({
  entryPoints: [path.join(import.meta.dirname, "killed-writer.ts")],
  outfile: WRITER,
  ...{ bundle: true, platform: "node", format: "esm", logLevel: "warning" },
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
let serial = 0;
const folder = (): string => {
  const made = path.join(home, String((serial += 1)));
  mkdirSync(made);
  return made;
};

/** An ext4 file system in a file, mounted; null where this user or machine cannot. */
const ext4 = async (): Promise<{ image: string; mounted: string } | null> => {
  const [image, mounted] = [path.join(folder(), "image"), folder()];
  writeFileSync(image, "");
  truncateSync(image, 8 << 20);
  const run = async (program: string, args: string[]): Promise<boolean> =>
    (await command(program, args).catch(() => null))?.code === 0;
  if (!(await run("mkfs.ext4", ["-q", "-F", "-m", "0", image]))) return null;
  if (!(await run("mount", ["-o", "loop", image, mounted]))) return null;
  return { image, mounted };
};

// Before the first test: what is awaited between two may find that the file has ended.
const why = await noStrace();
const disk = process.getuid?.() === 0 ? await ext4() : null;
const noDisk = disk === null ? "an ext4 image cannot be mounted here" : false;

/** Which of the things that the writer saves there are: what a daemon that starts now would find. */
const found = (t: Test, state: string, done: readonly string[], where: string): void => {
  const store = new Store(state, path.join(state, "runtime"));
  const loaded = store.load(() => 1);
  t.same([...loaded.setAside, ...loaded.unread], [], `${where}: nothing is damaged`);
  const spec = loaded.specs.get("radio") ?? null;
  const memory = loaded.memories.get("radio") ?? null;
  removeOrphans(store, new Set(loaded.specs.keys()));
  const files = ["streams", "keys", "memory"].flatMap((one) => readdirSync(path.join(state, one)));
  const root = readdirSync(state).filter((one) => one.endsWith(".tmp"));
  t.same(root, [], `${where}: nothing half-written`);
  const last = STEPS.findLastIndex((step) => done.includes(step));
  if (spec === null) {
    t.ok(last < 0 || last >= STEPS.indexOf("changed"), `${where}: not there`);
    t.same(files, [], `${where}: nothing of it`);
    return;
  }
  const { revision } = spec.spec;
  t.same(spec, recordOf(revision), `${where}: whole`);
  t.same(
    store.secrets.read("radio", spec.keys ?? 0),
    secretsOf(revision),
    `${where}: with its key`,
  );
  t.ok(
    last < STEPS.indexOf("changed") ? revision === 1 || last === 1 : revision === 2,
    `${where}: which`,
  );
  if (last >= STEPS.indexOf("remembered")) t.same(memory, memoryOf(7), `${where}: remembered`);
  else if (memory !== null) t.same(memory, memoryOf(7), `${where}: remembered whole`);
  const names = [
    "radio.json",
    `radio@${revision}.json`,
    ...(memory === null ? [] : ["radio.json"]),
  ];
  t.same(files.toSorted(), names.toSorted(), `${where}: nothing else is left`);
};

/** Runs the writer until it is killed at a call; which steps it had done, null where it came through. */
const runKilled = async (
  at: readonly [string, number],
  state: string,
): Promise<string[] | null> => {
  const args = [WRITER, state, path.join(state, "runtime")];
  const { signal, stdout, stderr, code } = await killedAt(at, process.execPath, args, {
    env: plainEnvironment(),
  });
  if (signal !== "SIGKILL" && code !== 0) throw new Error(stderr);
  return signal === "SIGKILL" ? stdout.split("\n").filter((line) => line !== "") : null;
};

/** The numbers of a call at which the writer can be killed, each on a directory of its own. */
const everyKill = async (
  [name, step]: readonly [string, number],
  visit: (n: number, done: string[], state: string) => Promise<void>,
  place: (n: number) => string = folder,
): Promise<number> => {
  for (let n = 1; ; n += step) {
    const state = place(n);
    const done = await runKilled([name, n], state);
    if (done === null) return n - 1;
    await visit(n, done, state);
  }
};

t.test(
  "killed at any call, what was there is there, or what was to be",
  { skip: why },
  async (t) => {
    // Each thing done is told to the main thread by a write: killing there is killing between any two.
    const least = { write: 30, fsync: 12, rename: 5, unlink: 4, mkdir: 6 };
    await Promise.all(
      Object.entries(least).map(async ([name, most]) => {
        const kills = await everyKill(
          [name, name === "write" && !LONG ? 4 : 1],
          async (n, done, state) => found(t, state, done, `${name} ${n}`),
        );
        t.ok(kills >= most, `killed at ${kills} calls of ${name}`);
      }),
    );
  },
);

/** The state directory as a loss of power at this moment leaves it: what has reached the image. */
const lostPower = async (image: string, check: (mounted: string) => void): Promise<void> => {
  const [copy, mounted] = [path.join(folder(), "image"), folder()];
  copyFileSync(image, copy);
  await output("mount", ["-o", "loop", copy, mounted]);
  try {
    check(mounted);
  } finally {
    await output("umount", [mounted]);
    rmSync(copy);
  }
};

t.test("the power is lost on a real file system", { skip: noDisk }, async (t) => {
  const { image, mounted } = disk ?? { image: "", mounted: "" };
  t.teardown(() => output("umount", [mounted]));
  const state = path.join(mounted, "state");
  const args = [WRITER, state, path.join(mounted, "runtime"), "stepwise"];
  const writer = spawn(process.execPath, args, {
    env: plainEnvironment(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(writer, "exit");
  const done: string[] = [];
  for await (const step of createInterface({ input: writer.stdout })) {
    done.push(step);
    const at = [...done];
    await lostPower(image, (left) => found(t, path.join(left, "state"), at, `after ${step}`));
    writer.stdin.write("\n");
  }
  await ended;
  t.same(done, STEPS);

  t.test("and is lost indeed: what nobody synced is not there", async (t) => {
    const careless = (name: string): void => {
      writeFileSync(path.join(mounted, `${name}.tmp`), "precious");
      renameSync(path.join(mounted, `${name}.tmp`), path.join(mounted, name));
    };
    careless("careless");
    t.ok(existsSync(path.join(mounted, "careless")));
    await lostPower(image, (left) => t.notOk(existsSync(path.join(left, "careless"))));
  });

  t.test("at any call", { skip: LONG ? why || false : "set STREAMBRO_TEST_LONG=1" }, async (t) => {
    const kills = await everyKill(
      ["write", 1],
      async (n, done, state) => {
        await lostPower(image, (left) =>
          found(t, path.join(left, path.relative(mounted, state)), done, `write ${n}`),
        );
        rmSync(state, { recursive: true, force: true });
      },
      (n) => path.join(mounted, String(n)),
    );
    t.ok(kills > 30, `${kills} losses`);
  });
});
