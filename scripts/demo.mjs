// The demonstration itself, started by scripts/demo: demo.mjs FILE SECONDS ("" and 0: none given)
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { startDaemon } from "../test/helpers/daemon.ts";
import { film } from "../test/helpers/film.ts";
import { startRtmpServer } from "../test/helpers/rtmp-server.ts";

const NAME = "demo";
const REFRESH_MS = 1000;
const REFRESH_OFF_TERMINAL_MS = 5000;

const [file = "", seconds = "0"] = process.argv.slice(2);
const terminal = process.stdout.isTTY === true;
const say = (text) => process.stdout.write(`${text}\n`);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => interrupted.abort());
}
// Who reads may leave early, as `head` does; the cleaning up goes on.
process.stdout.on("error", () => interrupted.abort());

const streambro = async (daemon, ...args) => {
  const options = { detached: true, signal: interrupted.signal };
  const { code, stdout, stderr } = await daemon.cliWith(options, ...args);
  if (code !== 0) throw new Error(stderr.trim() || `streambro ${args.join(" ")}: exit ${code}`);
  return stdout;
};

/** Draws a table over the one before, on a terminal; elsewhere below it. */
const drawer = () => {
  let lines = 0;
  return (text) => {
    process.stdout.write(terminal && lines > 0 ? `\x1b[${lines}A\x1b[J${text}` : text);
    lines = text.split("\n").length - 1;
  };
};

const showUntilOver = async (daemon) => {
  const end = Number(seconds) > 0 ? performance.now() + Number(seconds) * 1000 : Infinity;
  const draw = drawer();
  const { signal } = interrupted;
  while (!signal.aborted && performance.now() < end) {
    draw(await streambro(daemon, "ls"));
    const pause = terminal ? REFRESH_MS : REFRESH_OFF_TERMINAL_MS;
    const left = Math.max(0, Math.min(pause, Math.ceil(end - performance.now()) + 1));
    await after(left, undefined, { signal }).catch(() => {});
  }
};

const amount = (bytes) =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

const publishersInWords = ({ maxPublishers, absences }, turns) => {
  if (turns === 1 && maxPublishers === 1 && absences.length === 0)
    return "one publisher throughout";
  const absent = absences.length === 1 ? "once" : `${absences.length} times`;
  return `${turns} publishers in turn, at most ${maxPublishers} at once, absent ${absent}`;
};

/** As the server counted it, while the publisher is still there. */
const delivered = async (server, watched) => {
  const seen = watched.of(NAME);
  if (seen === undefined) return null;
  const { streams } = await server.stats();
  const now = streams.find(({ name }) => name === NAME);
  const tookMs = now?.timeMs ?? Date.now() - seen.firstSeenMs;
  const bytes = now?.bytesIn ?? seen.bytesIn;
  const rate = ((bytes * 8) / tookMs / 1000).toFixed(2);
  const who = publishersInWords(seen, server.publishes(NAME).length);
  return `The server received ${amount(bytes)} in ${(tookMs / 1000).toFixed(0)} s (${rate} Mb/s) on ${server.url}/${NAME}, ${who}.`;
};

const dir = mkdtempSync(path.join(os.tmpdir(), "sb-demo-"));
// Undone last first, whatever happened.
const undo = [() => rmSync(dir, { recursive: true, force: true })];
let result = null;
let failure = null;
try {
  const input = file === "" ? await film() : file;
  const server = await startRtmpServer({ dir: path.join(dir, "rtmp"), detached: true });
  undo.push(() => server.stop());
  const home = path.join(dir, "d");
  mkdirSync(home);
  const daemon = await startDaemon({ dir: home, detached: true });
  undo.push(() => daemon.end());
  const watched = server.watchPublishers();
  undo.push(() => watched.stop());
  try {
    const key = path.join(dir, "key");
    writeFileSync(key, `${NAME}\n`, { mode: 0o600 });
    const destination = ["--to", server.url, "--key-file", key];
    await streambro(daemon, "add", NAME, "--input", input, ...destination, "--start");
    await streambro(daemon, "start", NAME, "--wait", "--timeout", "30s");
    say(`Watch it:  ffplay ${server.url}/${NAME}   (or: vlc ${server.url}/${NAME})`);
    say(Number(seconds) > 0 ? `For ${seconds} s; Ctrl-C ends it.\n` : "Ctrl-C ends it.\n");
    await showUntilOver(daemon);
  } catch (error) {
    // Ctrl-C cuts short whatever it meets.
    if (!interrupted.signal.aborted) throw error;
  }
  result = await delivered(server, watched);
} catch (error) {
  failure = error;
}
for (const step of undo.toReversed()) {
  try {
    await step();
  } catch (error) {
    failure ??= error;
  }
}
if (result !== null) say(`\n${result}`);
if (failure !== null) process.stderr.write(`demo: ${failure.message}\n`);
process.exit(failure === null && (result !== null || interrupted.signal.aborted) ? 0 : 1);
