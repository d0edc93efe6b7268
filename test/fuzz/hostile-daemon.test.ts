import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { runProgram } from "../../cli/program.ts";
import { harmless, harmlessJson } from "../../cli/render/harmless.ts";
import { EXIT } from "../../shared/errors.ts";
import { steers } from "../helpers/controls.ts";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { seeded } from "../helpers/seeded.ts";
import { type Random, mutated, one } from "./mutate.ts";
import { isUnpolluted } from "./properties.ts";

const BAD = "\u001B]0;title\u0007\u009B2J\u001B[2J\r\u0000";

const home = mkdtempSync(path.join(os.tmpdir(), "sb-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));

const at = "2026-11-23T03:12:09.000Z";
const status = (note: string): object => ({
  ...{ name: "radio", owner: "anna", state: "live", desired: "running", health: "delivering" },
  ...{ since: at, startedAt: at, pid: 7, restarts: 0, retryAt: null, stopAt: null, note },
  ...{ input: `/f/${note}.mp4`, position: { ms: 1, durationMs: 2, cycle: 0 }, tracks: null },
  outputs: [{ url: "rtmp://a/live/****", health: "delivering", bytes: 1, bitrateKbps: 900 }],
  ...{ progress: { fps: 25, speed: 1 }, usage: null, lastExit: null, lastError: null },
});
const entry = (message: string): object => ({
  ...{ id: 1, at, stream: "radio", kind: "state", from: "starting", to: "live", reason: null },
  ...{ message, by: { uid: 0, user: "root" }, details: {}, skipped: 0 },
});
const results = (word: string): Readonly<Record<string, object>> => ({
  "stream.status": { version: 1, streams: [status(word)] },
  "stream.logs": { lines: [word, "two"], cursor: "9" },
  "history.list": { version: 1, entries: [entry(word)], more: false },
  "stream.start": { changed: true, stream: status(word) },
});
const COMMANDS = [
  "status",
  "status --json",
  "ls",
  "logs radio",
  "logs radio --json",
  "history",
  "start radio",
];

/** A socket where something else than a streambrod answers. */
const socketOf = async (
  name: string,
  reply: (line: string) => Buffer | string,
): Promise<{ readonly socket: string; readonly close: () => void }> => {
  const socket = path.join(home, name);
  const server = net.createServer((client) => {
    client.on("error", () => client.destroy());
    client.on("data", (bytes: Buffer) => {
      for (const line of bytes.toString("utf8").split("\n"))
        if (line !== "") client.write(Buffer.concat([Buffer.from(reply(line)), Buffer.from("\n")]));
    });
    // Whatever was said, nothing more comes.
    setTimeout(() => client.end(), 25).unref();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(socket, resolve);
  await promise;
  return { socket, close: () => void server.close() };
};

const answerTo = (line: string, word: string): string => {
  const { id, method } = JSON.parse(line) as { id: number; method: string };
  const hello = { protocol: 1, version: "0.1.0" };
  const result = method === "daemon.hello" ? hello : results(word)[method];
  return JSON.stringify({ jsonrpc: "2.0", id, result: result ?? {} });
};

const run = async (socket: string, line: string): Promise<{ exit: unknown; said: string }> => {
  let said = "";
  const print = (text: string): void => void (said += `${harmless(text)}\n`);
  const exit = await runProgram(line.split(" "), {
    version: "0",
    socket: () => socket,
    terminal: {
      ...{ out: print, err: print, columns: () => 100, colour: () => true, cwd: () => "/" },
      ...{ now: Date.now, readStdin: async () => Buffer.alloc(0) },
      ...{ onInterrupt: () => {}, endWithReader: () => {} },
    },
    // What is none of our answers is an internal error, which the program says in a sentence.
  }).catch((error: unknown) => (error instanceof Error ? EXIT.failed : String(error)));
  return { exit, said };
};

t.test("answers that no daemon would give", async (t) => {
  const { seed, random } = seeded();
  t.comment(`seed ${seed}`);
  const spoilt = (random: Random, line: string): Buffer => {
    const whole = Buffer.from(answerTo(line, one(random, ["on the air", BAD])));
    return line.includes("daemon.hello") && random() < 0.8
      ? whole
      : mutated(random, [whole], 65_536);
  };
  const { socket, close } = await socketOf("s", (line) => spoilt(random, line));
  t.teardown(close);
  const statuses = new Set<unknown>(Object.values(EXIT));
  for (let n = 0; n < 25; n += 1) {
    const all = COMMANDS.map(async (line) => ({ line, ...(await run(socket, line)) }));
    for (const { line, exit, said } of await Promise.all(all)) {
      if (!statuses.has(exit)) t.fail(`${line} ends with ${String(exit)}`, { seed });
      if (steers(said)) t.fail(`${line} steers the terminal`, { seed, said });
    }
    isUnpolluted();
  }
  t.pass("every one ended with a status of the table and without a control character");
});

t.test("the program itself prints none of what steers a terminal", async (t) => {
  const { socket, close } = await socketOf("b", (line) => answerTo(line, `x${BAD}y`));
  t.teardown(close);
  const program = path.resolve(import.meta.dirname, "../../bin/streambro");
  const env = { ...plainEnvironment(), STREAMBRO_SOCKET: socket };
  for (const line of ["status", "status --json", "logs radio", "logs radio --json", "history"]) {
    const { code, stdout, stderr } = await command(program, line.split(" "), { env });
    t.ok(code === 0 || code === EXIT.notLive, `${line}: ${stderr}`);
    t.match(stdout, /x/);
    t.notOk(steers(stdout + stderr), line);
  }
  const { stdout } = await command(program, ["status", "--json"], { env });
  const { streams } = JSON.parse(stdout) as { streams: { note: string }[] };
  t.equal(streams[0]?.note, `x${BAD}y`, "and JSON says the very same");
});

t.test("what is its own stays", async (t) => {
  t.equal(harmless("\u001B[32mlive\u001B[39m\ta\nb é"), "\u001B[32mlive\u001B[39m\ta\nb é");
  t.equal(harmless("\u001B[2J\u009B\u0007"), "\uFFFD[2J\uFFFD\uFFFD");
  t.equal(harmlessJson({ a: "\u202E\u{E0041}é" }), String.raw`{"a":"\u202e\udb40\udc41é"}`);
  t.same(JSON.parse(harmlessJson({ a: "\u{E0041}\u2028" })), { a: "\u{E0041}\u2028" });
});
