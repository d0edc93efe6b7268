import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import tap from "tap";
import { PROTOCOL } from "../../shared/protocol.ts";

const dist = path.resolve(import.meta.dirname, "../../dist");
const bundle = path.join(dist, "streambro.cjs");

/** How much longer than a bare `node -e 0` a `streambro status` may take, as a factor. */
const BUDGET = 1.6;
const ROUNDS = 15;
const MOST_ROUNDS = 100;

void tap.test("what the client does not carry", async (t) => {
  const shipped = readdirSync(dist).filter(
    // The walk to an input is the daemon's program, too.
    (name) => /^streambro[-.].*cjs$/.test(name) && name !== "streambro-reach.cjs",
  );
  t.not(shipped.length, 0, "there is a bundle: npm run build");
  const markers = ["ZodError", "invalid_type", "pino", "execa", "pidusage", "koffi", "node:http"];
  for (const name of shipped) {
    const code = readFileSync(path.join(dist, name), "utf8");
    for (const marker of markers) t.notOk(code.includes(marker), `no ${marker} in ${name}`);
  }
});

/** A daemon with nothing in hand. */
const serveNothing = async (at: string) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      for (const line of String(data).trim().split("\n")) {
        const { id, method } = JSON.parse(line);
        const hello = { protocol: PROTOCOL, version: "0.0.0" };
        const result = method === "daemon.hello" ? hello : { version: 1, streams: [] };
        socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
      }
    });
  }).listen(at);
  await once(server, "listening");
  return server;
};

/**
 * Milliseconds that a process of this Node takes, from its start to its end. It is started through
 * `env -i`, or the test runner would have it load modules of its own.
 */
const timed = async (args: readonly string[], socket: string): Promise<number> => {
  const begun = performance.now();
  const command = ["-i", `STREAMBRO_SOCKET=${socket}`, process.execPath, ...args];
  const [exit] = await once(spawn("env", command, { stdio: "ignore" }), "exit");
  if (exit !== 0) throw new Error(`${args.join(" ")} ended with ${exit}`);
  return performance.now() - begun;
};

void tap.test("status starts within its budget", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "streambro-"));
  const socket = path.join(folder, "s");
  const server = await serveNothing(socket);
  const [bare, status]: [number[], number[]] = [[], []];
  // The fastest of each is what it takes; the rest is what else the machine had to do. On a busy one it
  // takes more rounds to see it, and a program that is too slow stays so in all of them.
  const ratioOf = (): number => Math.min(...status) / Math.min(...bare);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (round >= ROUNDS && ratioOf() <= BUDGET) break;
    bare.push(await timed(["-e", "0"], socket));
    status.push(await timed([bundle, "status", "-q"], socket));
  }
  const ratio = ratioOf();
  t.ok(ratio <= BUDGET, `${ratio.toFixed(2)} times a bare start`);
  server.close();
  await once(server, "close");
  rmSync(folder, { recursive: true });
});

void tap.test("a full disk under the output is told", async (t) => {
  const child = spawn("sh", ["-c", '"$0" "$1" --version >/dev/full', process.execPath, bundle]);
  let err = "";
  child.stderr.on("data", (data) => (err += String(data)));
  t.same(await once(child, "close"), [1, null]);
  t.match(err, /^streambro: standard output cannot be written: ENOSPC[^\n]+\n$/);
});
