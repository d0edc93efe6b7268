import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import { runBounded } from "../../daemon/media/bounded.ts";
import { lookAt } from "../../daemon/media/look.ts";
import { readPackets } from "../../daemon/media/packets.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { renderFilm } from "../helpers/film.ts";
import { withArgument } from "../helpers/processes.ts";
import { seeded } from "../helpers/seeded.ts";
import { until } from "../helpers/until.ts";

const folder = t.testdir();
const at = (name: string): string => path.join(folder, name);
const fake = (directory: string, name: string, script: string): string => {
  mkdirSync(at(directory), { recursive: true });
  writeFileSync(at(`${directory}/${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(at(`${directory}/${name}`), 0o755);
  return at(`${directory}/${name}`);
};
const took = async <T>(work: Promise<T>): Promise<{ ms: number; value: T }> => {
  const began = performance.now();
  const value = await work;
  return { ms: performance.now() - began, value };
};

t.test("the same numbers as Node's stat, to the last bit", async (t) => {
  const { random, seed } = seeded();
  const file = at("timed");
  const plain = ["0", "-1", "-0.5", "-1.000000001", "4102444800.999999999", "1700000000.1"];
  const some = Array.from({ length: 40 }, () => (random() * 4e9 - 1e9).toFixed(9));
  for (const when of [...plain, ...some]) {
    writeFileSync(file, "x".repeat(1 + Math.floor(random() * 9_000)));
    execFileSync("touch", ["-d", `@${when}`, file]);
    const { size, mtimeMs } = statSync(file);
    t.same(
      await lookAt(ownInput(file), 5_000),
      { kind: "file", sizeBytes: size, mtimeMs, readable: true },
      `${when} (seed ${seed})`,
    );
  }
});

t.test("what there is, and what there is not", async (t) => {
  for (const name of [
    "-L",
    "two\nlines",
    "a:b",
    'it\'s "x"',
    "$(touch oops)",
    "No such file or directory",
  ]) {
    writeFileSync(at(name), "12345");
    t.match(
      await lookAt(ownInput(at(name)), 5_000),
      { kind: "file", sizeBytes: 5 },
      JSON.stringify(name),
    );
  }
  symlinkSync("a:b", at("link"));
  symlinkSync("nowhere", at("dangling"));
  symlinkSync("loop", at("loop"));
  execFileSync("mkfifo", [at("pipe")]);
  utimesSync(at("link"), 1_000, 1_000.25);
  const rows = [
    ["link", { kind: "file", sizeBytes: 5, mtimeMs: 1_000_250 }],
    [".", { kind: "directory" }],
    ["pipe", { kind: "special" }],
    ["/dev/zero", { kind: "special" }],
    ["gone", { failed: "missing" }],
    ["dangling", { failed: "missing" }],
    ["a:b/under a file", { failed: "missing" }],
    ["loop", { failed: "unreadable" }],
    ["x".repeat(300), { failed: "unreadable" }],
    ["zero\0byte", { failed: "tool" }],
  ] as const;
  for (const [name, expected] of rows)
    t.match(
      await lookAt(ownInput(path.resolve(folder, name)), 5_000),
      expected,
      JSON.stringify(name),
    );
});

const module = path.resolve(import.meta.dirname, "../../daemon/media/look.ts");
const nobody = (program: string, ...argv: string[]): string | null => {
  try {
    return execFileSync("setpriv", ["--reuid=65534", "--clear-groups", program, ...argv], {
      encoding: "utf8",
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return null;
  }
};
const noNobody =
  nobody("test", "-r", module) === null ? "nobody else can read this checkout" : false;

t.test("what this user may not read", { skip: noNobody }, async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "streambro-look-"));
  t.teardown(() => rmSync(home, { recursive: true }));
  chmodSync(home, 0o755);
  mkdirSync(path.join(home, "shut"), { mode: 0o700 });
  writeFileSync(path.join(home, "shut/film"), "x");
  writeFileSync(path.join(home, "private"), "x", { mode: 0o600 });
  const script = `const { lookAt } = await import(${JSON.stringify(module)});
    for (const name of ["private", "shut/film"])
      console.log(JSON.stringify(await lookAt({ path: ${JSON.stringify(home)} + "/" + name, opening: { as: "daemon" } }, 5_000)));`;
  const told = nobody(process.execPath, "--input-type=module", "-e", script) ?? "";
  const [first = "", second = ""] = told.split("\n");
  t.match(JSON.parse(first), { kind: "file", sizeBytes: 1, readable: false });
  t.same(JSON.parse(second), { failed: "forbidden" });
});

t.test(
  "a disk that does not answer costs the time that was given for it, and no more",
  async (t) => {
    const film = await renderFilm({ seconds: 4 });
    const { PATH = "" } = process.env;
    const hung = "trap '' TERM\nexec sleep 4711";
    const ffprobe = fake("hung-ffprobe", "ffprobe", hung);
    fake("hung-stat", "stat", hung);
    t.teardown(() => (process.env["PATH"] = PATH));
    const sentence = /^\S+\.mp4: its disk does not answer\. \w/;

    // The file's facts can be had, its contents cannot.
    const slow = await took(probeInput(ownInput(film), { ffprobe }, AbortSignal.timeout(400)));
    t.match(slow.value, { ok: false, reason: "timed-out", message: sentence });
    t.ok(slow.ms < 2_000, `${slow.ms} ms`);
    const packets = await took(
      readPackets(ownInput(film), "%+5", { ffprobe }, AbortSignal.timeout(400)),
    );
    t.equal(packets.value, null);
    t.ok(packets.ms < 2_000, `${packets.ms} ms`);

    process.env["PATH"] = `${at("hung-stat")}:${PATH}`;
    const looked = await took(lookAt(ownInput(film), 300));
    t.same(looked.value, { failed: "timed-out" });
    t.ok(looked.ms < 2_000, `${looked.ms} ms`);
    const probed = await probeInput(
      ownInput(film),
      { ffprobe: "ffprobe" },
      AbortSignal.timeout(300),
    );
    t.match(probed, { ok: false, reason: "timed-out", message: sentence });

    process.env["PATH"] = PATH;
    await until("what was given up is killed", () => withArgument("4711").length === 0, 5_000);
    t.match(
      await probeInput(ownInput(film), { ffprobe: "ffprobe" }),
      { ok: true },
      "it answers again",
    );
  },
);

t.test("an ffprobe that hangs at the packets is no film without any", async (t) => {
  const film = await renderFilm({ seconds: 4 });
  const ffprobe = fake(
    "half-hung",
    "ffprobe",
    `case "$*" in *show_format*) exec ${execFileSync("which", ["ffprobe"], { encoding: "utf8" }).trim()} "$@";; esac\nexec sleep 4712`,
  );
  const probed = await probeInput(ownInput(film), { ffprobe }, AbortSignal.timeout(1_500));
  t.match(probed, { ok: false, reason: "timed-out", message: /does not answer/ });
});

t.test("a process that it started itself is not waited for", async (t) => {
  // It keeps the pipe open.
  const pids = at("pids");
  const program = fake("fork", "looker", `sleep 4713 & echo $! >>${pids}; wait`);
  t.teardown(() => {
    for (const pid of readFileSync(pids, "utf8").trim().split("\n")) process.kill(Number(pid));
  });
  const bounds = { withinMs: 500, mostBytes: 100 };
  const all = await took(Promise.all([1, 2, 3].map(() => runBounded("/film", [program], bounds))));
  t.ok(all.value.every(({ timedOut }) => timedOut));
  t.ok(all.ms < 2_000, `${all.ms} ms`);
  t.match(await runBounded("/film", ["true"], bounds), { exitCode: 0, timedOut: false });
});

t.test("what cannot be run, and what talks for ever", async (t) => {
  const bounds = { withinMs: 5_000, mostBytes: 1_000 };
  t.match(await runBounded("/f", [at("none")], bounds), { exitCode: null, timedOut: false });
  t.match(await runBounded("/f", ["a\0b"], bounds), { exitCode: null, timedOut: false });
  const talks = await took(runBounded("/f", ["yes"], bounds));
  t.match(talks.value, { exitCode: null, timedOut: false });
  t.ok(talks.ms < 4_000);
  const gone = AbortSignal.abort();
  t.match(await runBounded("/f", ["true"], { ...bounds, signal: gone }), { timedOut: true });
});

t.test(
  "one that has ended, and whose output somebody else holds open, shuts nothing out",
  async (t) => {
    const held = ["sh", "-c", "sleep 5 & exit 0"] as const;
    t.match(await runBounded("/held", held, { withinMs: 300, mostBytes: 100 }), { timedOut: true });
    const next = await runBounded("/held", ["true"], { withinMs: 20_000, mostBytes: 100 });
    t.match(next, { exitCode: 0, timedOut: false });
  },
);
