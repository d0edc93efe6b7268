// Runs the built CLI once, `streambro status`, against a daemon that knows one made-up stream, so that
// the code cache holds the functions that a start needs: warm-up.mjs FILE_FOR_THE_CACHE DIST
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const [cache, dist] = process.argv.slice(2);
const now = new Date().toISOString();
const STREAM = {
  name: "radio",
  owner: "nobody",
  state: "live",
  desired: "running",
  health: "delivering",
  since: now,
  startedAt: now,
  pid: 1,
  restarts: 0,
  retryAt: null,
  input: "/film.mp4",
  position: { ms: 1000, durationMs: 10_000, cycle: 0 },
  outputs: [
    { url: "rtmp://a/b", health: "delivering", bytes: 1e6, bitrateKbps: 4100, error: null },
  ],
  progress: { outTimeMs: 1000, frame: 25, fps: 25, speed: 1 },
  lastExit: null,
  lastError: null,
  usage: null,
  note: null,
};
const RESULTS = {
  "daemon.hello": { protocol: 1, version: "0" },
  "stream.status": { version: 1, streams: [STREAM] },
};

const answerLines = (connection) => {
  let text = "";
  connection.on("error", () => {});
  connection.on("data", (chunk) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) {
      const { id, method } = JSON.parse(line);
      connection.write(
        `${JSON.stringify({ jsonrpc: "2.0", id, result: RESULTS[method] ?? {} })}\n`,
      );
    }
  });
};

const dir = mkdtempSync(path.join(os.tmpdir(), "sb-warm-"));
const socket = path.join(dir, "s");
const server = net.createServer(answerLines).listen(socket, () => {
  const env = { PATH: process.env.PATH, STREAMBRO_SOCKET: socket };
  const fill = [path.join(import.meta.dirname, "fill-cache.cjs"), cache, dist, "status"];
  // V8 lays out a cache by its hash seed; with one that is always the same the bytes are, too. Who
  // reads the cache has a random seed of its own all the same.
  const child = spawn(process.execPath, ["--random-seed=1", ...fill], {
    env,
    stdio: "inherit",
    timeout: 10_000,
  });
  child.on("exit", (code) => {
    server.close();
    rmSync(dir, { recursive: true, force: true });
    process.exitCode = code ?? 1;
  });
});
