import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Call, callsOf, noStrace, offences, recordTo } from "../helpers/trace.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { film } from "../helpers/film.ts";

const skip = await noStrace();
const home = mkdtempSync(path.join(tmpdir(), "sb-order-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const BIN = path.resolve(import.meta.dirname, "../../bin");

/** A folder of programs in which the daemon's calls are recorded. */
const recordingBin = (record: string): string => {
  const bin = path.join(home, "bin");
  mkdirSync(bin);
  const words = ["exec strace", ...recordTo(record), `'${BIN}/streambrod'`, '"$@"'];
  writeFileSync(path.join(bin, "streambrod"), `#!/bin/sh\n${words.join(" ")}\n`);
  writeFileSync(path.join(bin, "streambro"), `#!/bin/sh\nexec '${BIN}/streambro' "$@"\n`);
  for (const name of ["streambrod", "streambro"]) chmodSync(path.join(bin, name), 0o755);
  return bin;
};

const isAnswer = ({ name, target, text }: Call): boolean =>
  /^(write|writev|sendmsg)$/.test(name) && target.startsWith("socket:") && text.includes("jsonrpc");

t.test("what a command has answered outlives a loss of power", { skip }, async (t) => {
  const record = path.join(home, "record");
  const source = await film();
  const daemon = await startDaemon({ bin: recordingBin(record) });
  let keys = 0;
  const done = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await daemon.cliWith({ stdin: `key${(keys += 1)}\n` }, ...args);
    t.equal(code, 0, `${args[0]} ${stderr}`);
  };
  try {
    const to = ["--to", "rtmp://127.0.0.1:1/live", "--key-stdin"];
    await done("add", "radio", "--input", source, ...to);
    await done("set", "radio", "--key-stdin");
    await done("start", "radio");
    await done("stop", "radio", "--wait");
    await done("limits", "set", "--global", "7");
    await done("rm", "radio");
  } finally {
    await daemon.end();
  }
  const calls = callsOf(readFileSync(record, "utf8"));
  const state = daemon.stateDir;
  const into = (name: string, folder: string): number =>
    calls.filter((call) => call.name === name && path.dirname(call.target) === `${state}/${folder}`)
      .length;
  t.ok(into("rename", "streams") >= 4, "added, changed, started, stopped");
  t.equal(into("rename", "keys"), 2);
  t.equal(into("unlink", "streams"), 1);
  t.ok(into("unlink", "keys") >= 2, "the old key, and the last one");
  t.ok(calls.filter(isAnswer).length >= 6, "answers were seen");

  const never = (): boolean => false;
  for (const folder of ["streams", "keys"])
    t.same(offences(calls, `${state}/${folder}`, isAnswer), [], folder);
  // Nobody is promised these at that very moment; in order they are all the same. A log or a lock that
  // comes back belongs to no stream, and the next start clears it away.
  const free = [`${state}/logs/`, `${state}/locks/`];
  const promised = calls.filter(({ target }) => !free.some((one) => target.startsWith(one)));
  t.same(offences(promised, state, never), [], "memory, counters, limits, salt");
  const made = calls.filter(({ name, target }) => name === "mkdir" && target.startsWith(state));
  for (const { target, end } of made) {
    const parent = path.dirname(target);
    const synced = calls.some(
      (one) => one.name === "fsync" && one.target === parent && one.begin > end,
    );
    t.ok(synced, `${path.relative(daemon.dir, target)} stays`);
  }
  t.ok(made.length >= 6, `${made.length} directories were made`);

  t.test("a record that lacks one of the calls is found out", async (t) => {
    const streams = `${state}/streams`;
    const isOf = ({ target }: Call): boolean => target.startsWith(streams);
    const without = (gone: (call: Call) => boolean): string[] =>
      offences(
        calls.filter((call) => !gone(call)),
        streams,
        isAnswer,
      );
    const syncs = calls.filter((call) => call.name === "fsync" && isOf(call));
    t.ok(syncs.length >= 9);
    // Each fsync in turn: what it held would be empty, or under its old name, or still there.
    for (const sync of syncs) t.not(without((call) => call === sync).length, 0, sync.target);
    const late = calls.map((call) =>
      isOf(call) && call.name === "rename" ? { ...call, begin: 0 } : call,
    );
    t.not(offences(late, streams, isAnswer).length, 0, "renamed before it was synced");
  });
});
