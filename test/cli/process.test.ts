import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import tap from "tap";
import type { Test } from "tap";
import { openDaemon } from "../../cli/client/daemon.ts";
import { PROTOCOL } from "../../shared/protocol.ts";

const bundle = path.resolve(import.meta.dirname, "../../dist/streambro.cjs");
if (!existsSync(bundle)) throw new Error("dist/streambro.cjs is missing: npm run build");

type Request = { readonly id: number; readonly method: string; readonly params: any };
/** Answers a request with a result; or does something else to the socket, and returns nothing. */
type Behave = (request: Request, socket: Socket) => object | undefined;

const hello = { protocol: PROTOCOL, version: "0.0.0" };

/** A daemon that greets, and otherwise behaves as it is told. */
const serve = async (at: string, behave: Behave) => {
  const sockets = new Set<Socket>();
  const chunks: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      chunks.push(String(data));
      for (const line of String(data).trim().split("\n")) {
        const request: Request = JSON.parse(line);
        const result =
          behave(request, socket) ?? (request.method === "daemon.hello" ? hello : null);
        if (result === null) continue;
        socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, result })}\n`);
      }
    });
  });
  server.listen(at);
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  return { stop, chunks };
};

const launch = (socket: string, line: string) => {
  const env = { PATH: process.env["PATH"], STREAMBRO_SOCKET: socket };
  const child = spawn(process.execPath, [bundle, ...line.split(" ")], { env, stdio: "pipe" });
  const said = { out: "", err: "" };
  child.stdout.on("data", (data) => (said.out += String(data)));
  child.stderr.on("data", (data) => (said.err += String(data)));
  const ended = once(child, "close").then(([exit, signal]) => ({ exit, signal, ...said }));
  return { child, ended };
};

const rest = { note: null, lastError: null, retryAt: null, position: null };
const status = (state: string): object => ({ name: "radio", state, ...rest });

/** Short, as sockets need; in a folder that goes with the test. */
const socketPath = (t: Test): string => {
  const folder = mkdtempSync(path.join(tmpdir(), "streambro-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return path.join(folder, "s");
};

/** A resolver to call from a daemon's behaviour, and the promise to await. */
const notice = () => Promise.withResolvers<void>();

/** Greets, then writes the text whatever is asked. */
const reply =
  (text: string): Behave =>
  ({ method }, socket) => {
    if (method !== "daemon.hello") socket.write(text);
    return undefined;
  };

void tap.test("daemons that misbehave", async (t) => {
  const cases: ReadonlyArray<readonly [string, Behave, number, RegExp]> = [
    ["not JSON", reply("HTTP/1.1 400 Bad Request\r\n\r\n"), 69, /does not talk like a streambrod/],
    ["no result", reply('{"jsonrpc":"2.0","id":2}\n'), 69, /does not talk like/],
    ["a null result", reply('{"jsonrpc":"2.0","id":2,"result":null}\n'), 69, /does not talk like/],
    [
      "an odd result",
      reply('{"jsonrpc":"2.0","id":2,"result":{"streams":7}}\n'),
      1,
      /^streambro: internal: [^\n]+\n$/,
    ],
    [
      "an error without id",
      reply('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}\n'),
      1,
      /what\?/,
    ],
    [
      "hangs up in mid-answer",
      (_, socket) => void socket.end('{"jsonrpc":"2.0","id":'),
      69,
      /hung up before it answered/,
    ],
    [
      "newer protocol",
      ({ method }) => (method === "daemon.hello" ? { protocol: 99, version: "9.0.0" } : undefined),
      69,
      /streambrod 9\.0\.0/,
    ],
  ];
  for (const [name, behave, exit, words] of cases) {
    const socket = socketPath(t);
    const daemon = await serve(socket, behave);
    t.match(await launch(socket, "status").ended, { exit, out: "", err: words }, name);
    await daemon.stop();
  }
});

void tap.test("the greeting travels with the first request", async (t) => {
  const socket = socketPath(t);
  const daemon = await serve(socket, ({ method }) =>
    method === "daemon.hello" ? undefined : { version: 1, streams: [] },
  );
  t.match(await launch(socket, "ls --json").ended, {
    exit: 0,
    out: '{"version":1,"streams":[]}\n',
    err: "",
  });
  t.match(daemon.chunks, [/^\{[^\n]*"daemon.hello"[^\n]*\}\n\{[^\n]*"stream.status"[^\n]*\}\n$/]);
  await daemon.stop();
});

void tap.test("no daemon", async (t) => {
  const folder = path.dirname(socketPath(t));
  writeFileSync(path.join(folder, "file"), "");
  const missing = await launch(path.join(folder, "s"), "status").ended;
  t.match(missing, {
    exit: 69,
    out: "",
    err: /^streambro: no daemon answers at .*\/s \(no such file\)\.\n +Start it: .*systemctl start/,
  });
  t.match(await launch(path.join(folder, "file"), "status").ended, {
    exit: 69,
    err: /connection refused/,
  });
  symlinkSync("loop", path.join(folder, "loop"));
  t.match(await launch(path.join(folder, "loop"), "wait radio --for live").ended, {
    exit: 69,
    err: /ELOOP/,
  });
  t.match(await launch(path.join(folder, "s"), "wait radio --for live --timeout 200ms").ended, {
    exit: 124,
    err: /not live within 0.2 s: no daemon answers/,
  });
});

void tap.test("a daemon that never answers", async (t) => {
  const socket = socketPath(t);
  const daemon = await serve(socket, () => undefined);
  const client = openDaemon(socket, "test", 50);
  t.match(await client.call("stream.status", {}), {
    ok: false,
    failure: { reason: "silent", ms: 50 },
  });
  await daemon.stop();
});

void tap.test("wait survives a restart of the daemon", async (t) => {
  const socket = socketPath(t);
  const asked = notice();
  const first = await serve(
    socket,
    ({ method }) => void (method === "stream.wait" && asked.resolve()),
  );
  const { ended } = launch(socket, "wait radio --for live");
  await asked.promise;
  await first.stop();
  rmSync(socket, { force: true });
  const second = await serve(socket, ({ method }) =>
    method === "stream.wait" ? { outcome: "reached", stream: status("live") } : undefined,
  );
  t.match(await ended, { exit: 0, out: "", err: /^radio: live after [\d.]+ s\n$/ });
  await second.stop();
});

void tap.test("an interrupt while waiting leaves the stream alone", async (t) => {
  const socket = socketPath(t);
  const waiting = notice();
  const methods: string[] = [];
  const daemon = await serve(socket, ({ method }) => {
    methods.push(method);
    if (method === "stream.wait") waiting.resolve();
    return method === "stream.start" ? { changed: true, stream: status("starting") } : undefined;
  });
  const { child, ended } = launch(socket, "start radio --wait");
  await waiting.promise;
  child.kill("SIGINT");
  t.match(await ended, {
    exit: 130,
    signal: null,
    out: "",
    err: "radio: interrupted; the stream goes on.\n",
  });
  t.same(methods, ["daemon.hello", "stream.start", "stream.wait"]);
  await daemon.stop();
});

void tap.test("logs -f goes on after a restart, and ends quietly with its reader", async (t) => {
  const socket = socketPath(t);
  const followed = notice();
  const first = await serve(socket, ({ method, params }) => {
    if (method !== "stream.logs") return undefined;
    if (params.cursor === undefined) return { lines: ["one"], cursor: "c1" };
    followed.resolve();
    return undefined;
  });
  const { child, ended } = launch(socket, "logs radio -f --json");
  await followed.promise;
  await first.stop();
  const cursors: unknown[] = [];
  const second = await serve(socket, ({ method, params }) => {
    if (method !== "stream.logs") return undefined;
    cursors.push(params.cursor);
    return { lines: ["two"], cursor: "c2" };
  });
  await once(child.stdout, "data").then(() => once(child.stdout, "data"));
  child.stdout.destroy();
  const { exit, err } = await ended;
  t.same([exit, err, cursors[0]], [0, "", "c1"]);
  await second.stop();
});

void tap.test("daemon stop returns when the daemon has gone", async (t) => {
  const socket = socketPath(t);
  const told = notice();
  const daemon = await serve(socket, ({ method }) => {
    if (method === "daemon.stop") told.resolve();
    return method === "daemon.stop" ? { pid: 1, streams: 2 } : undefined;
  });
  const { ended } = launch(socket, "daemon stop");
  await told.promise;
  await daemon.stop();
  t.match(await ended, { exit: 0, err: "streambrod: stopped, 2 streams with it\n" });
});
