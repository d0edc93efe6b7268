import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type Listener, listen } from "../../daemon/rpc/listen.ts";
import type { Answerer } from "../../daemon/rpc/server.ts";
import { FrameReader } from "../../shared/frames.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { until } from "../helpers/until.ts";

const ignored = (): void => {};

const home = mkdtempSync(path.join(tmpdir(), "streambro-rpc-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
let serial = 0;
const fresh = (): string => path.join(home, `${(serial += 1)}.sock`);

const opened = async (
  t: Tap.Test,
  answer: Answerer,
  file = fresh(),
): Promise<{ file: string; listener: Listener }> => {
  const listening = await listen(file, answer, ignored);
  if (!listening.ok) throw new Error(listening.message);
  t.teardown(() => listening.listener.close());
  return { file, listener: listening.listener };
};

declare namespace Tap {
  type Test = { teardown(work: () => unknown): void };
}

type Client = { readonly socket: net.Socket; readonly lines: string[]; closed: boolean };

const connected = async (t: Tap.Test, file: string): Promise<Client> => {
  const socket = net.connect({ path: file, allowHalfOpen: true });
  const client: Client = { socket, lines: [], closed: false };
  const frames = new FrameReader(64 * 1024 * 1024);
  socket.on("data", (chunk: Buffer) =>
    frames.push(
      chunk,
      (line) => client.lines.push(line),
      () => {},
    ),
  );
  socket.on("error", () => {});
  socket.on("end", () => (client.closed = true));
  socket.on("close", () => (client.closed = true));
  t.teardown(() => socket.destroy());
  await until("the connection", () => socket.readyState === "open", 2_000);
  return client;
};

const echo: Answerer = async (line) => `<${line}>`;

t.test("lines are answered, in pieces, in one, and after the client's last word", async (t) => {
  const { file } = await opened(t, echo);
  const client = await connected(t, file);
  client.socket.write("o");
  client.socket.write("ne\ntw");
  client.socket.write("o\n\n \nthree\r\n");
  await until("three answers", () => client.lines.length === 3, 2_000);
  t.same(client.lines, ["<one>", "<two>", "<three>"]);
  client.socket.end("four\nhalf");
  await until("the end", () => client.closed, 2_000);
  t.same(client.lines.slice(3), ["<four>"], "half a frame is nobody's");
});

t.test("half a frame and gone: others are served, and nothing is left", async (t) => {
  const { file, listener } = await opened(t, echo);
  for (let n = 0; n < 20; n += 1) {
    const client = await connected(t, file);
    client.socket.write(n % 2 === 0 ? '{"jsonrpc":"2.0"' : "x".repeat(100_000));
    client.socket.destroy();
  }
  const other = await connected(t, file);
  other.socket.write("hello\n");
  await until("an answer", () => other.lines[0] === "<hello>", 2_000);
  const count = (): Promise<number> =>
    new Promise((resolve) => listener.server.getConnections((_, n) => resolve(n)));
  await until("one connection is left", async () => (await count()) === 1, 2_000);
});

t.test("a client that leaves is told to whoever works for it", async (t) => {
  const gone: string[] = [];
  const waiting: Answerer = (line, caller) =>
    new Promise((resolve) => {
      caller.gone.addEventListener("abort", () => {
        gone.push(line);
        resolve(null);
      });
      if (line === "now") resolve("at once");
    });
  const { file } = await opened(t, waiting);
  const client = await connected(t, file);
  client.socket.write("later\nnow\n");
  await until("the quick one overtakes", () => client.lines[0] === "at once", 2_000);
  client.socket.destroy();
  await until("the other is told", () => gone.length > 0, 2_000);
});

t.test("a frame that is too long is answered once, and the connection goes on", async (t) => {
  const { file } = await opened(t, async () => "answered");
  const client = await connected(t, file);
  client.socket.write("x".repeat(MAX_FRAME_BYTES));
  client.socket.write("\n");
  await until("the longest is fine", () => client.lines.length === 1, 5_000);
  t.equal(client.lines[0], "answered");
  client.socket.write("x".repeat(3 * MAX_FRAME_BYTES));
  client.socket.write("\nshort\n");
  await until("both answers", () => client.lines.length === 3, 5_000);
  t.match(JSON.parse(client.lines[1] ?? ""), { id: null, error: { code: -32_600 } });
  t.equal(client.lines[2], "answered");
});

t.test("a client that does not read is not read from", async (t) => {
  const big = "y".repeat(256 * 1024);
  let answered = 0;
  const { file } = await opened(t, async () => {
    answered += 1;
    return big;
  });
  const client = await connected(t, file);
  client.socket.pause();
  client.socket.write("a\n".repeat(600));
  await until(
    "answers stop",
    async () => {
      const before = answered;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return answered > 0 && answered === before;
    },
    5_000,
  );
  t.ok(
    answered * big.length < 64 * 1024 * 1024,
    `${answered} answers of 256 KiB were made for 600 requests`,
  );
  const other = await connected(t, file);
  other.socket.write("a\n");
  await until("others are served", () => other.lines.length === 1, 2_000);
  client.socket.resume();
  await until("all come when it reads", () => client.lines.length === 600, 20_000);
});

t.test("an answerer that fails does not take the daemon along", async (t) => {
  // In a process of its own: an unhandled rejection ends one.
  const module = path.resolve(import.meta.dirname, "../../daemon/rpc/listen.ts");
  const script = `
    import net from "node:net";
    const { listen } = await import(${JSON.stringify(module)});
    const { listener } = await listen(${JSON.stringify(fresh())}, async (line) => { if (line === "bad") throw new Error("no"); return line; }, () => {});
    const socket = net.connect(listener.server.address());
    socket.write("bad\\ngood\\n");
    socket.on("data", (chunk) => { if (String(chunk).includes("good")) process.exit(0); });
    setTimeout(() => process.exit(9), 3000);`;
  const { code, stderr } = await command(process.execPath, ["--input-type=module", "-e", script], {
    env: plainEnvironment(),
  });
  t.equal(code, 0, "it goes on and serves the next", { stderr: stderr.slice(0, 300) });
});

t.test("the socket file: mode, stale, alive, something else, nowhere", async (t) => {
  const { file, listener } = await opened(t, echo);
  t.equal(statSync(file).mode & 0o777, 0o660);
  t.match(await listen(file, echo, ignored), { ok: false, message: /Another process answers at/ });
  const client = await connected(t, file);
  client.socket.write("x\n");
  await until("the first one still serves", () => client.lines[0] === "<x>", 2_000);
  client.socket.destroy();
  await listener.close();
  t.notOk(existsSync(file), "nothing is left of a closed one");

  const stale = fresh();
  const bind = `const s = require("net").createServer(); s.listen(${JSON.stringify(stale)}, () => process.kill(process.pid, "SIGKILL"))`;
  await command(process.execPath, ["-e", bind], { env: plainEnvironment() });
  t.ok(statSync(stale).isSocket(), "a killed daemon leaves its socket");
  chmodSync(stale, 0o600);
  await opened(t, echo, stale);
  t.equal(statSync(stale).mode & 0o777, 0o660);

  const plain = fresh();
  writeFileSync(plain, "precious");
  t.match(await listen(plain, echo, ignored), { ok: false, message: /is not a socket/ });
  t.ok(existsSync(plain));
  const directory = fresh();
  mkdirSync(directory);
  t.match(await listen(directory, echo, ignored), { ok: false, message: /is not a socket/ });
  const long = path.join(home, "x".repeat(107 - home.length));
  t.match(await listen(long, echo, ignored), { ok: false, message: /longer than 107 bytes/ });
  await opened(t, echo, long.slice(0, 107));
  t.match(
    await listen(path.join(plain, "x.sock"), echo, ignored),
    { ok: false, message: /./ },
    "below a file",
  );
  const inNewFolder = path.join(home, "new/folder/x.sock");
  await opened(t, echo, inNewFolder);
  t.equal(process.umask(), process.umask(process.umask()), "the umask is as it was");
});

t.test("a failed accept, for want of descriptors say, is not the end", async (t) => {
  const { file, listener } = await opened(t, echo);
  const accept = (): boolean =>
    listener.server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  t.doesNotThrow(() => {
    accept();
    accept();
  });
  const client = await connected(t, file);
  client.socket.write("x\n");
  await until("it still serves", () => client.lines[0] === "<x>", 2_000);
});

t.test("closing lets written answers out and waits for nobody", async (t) => {
  const { file, listener } = await opened(t, echo);
  const client = await connected(t, file);
  client.socket.write("last\n");
  await until("answered", () => client.lines.length === 1, 2_000);
  const idle = await connected(t, file);
  idle.socket.pause();
  const began = performance.now();
  await listener.close();
  t.ok(performance.now() - began < 2_000);
});

t.test("a socket that was wiped is there again, and who was connected goes on", async (t) => {
  const file = path.join(home, "wiped/deep/s.sock");
  const { listener } = await opened(t, echo, file);
  t.same(await listener.mend(), { mended: false });
  chmodSync(file, 0o600);
  t.same(await listener.mend(), { mended: false }, "somebody set its mode");
  const old = await connected(t, file);
  for (let round = 0; round < 3; round += 1) {
    rmSync(path.join(home, "wiped"), { recursive: true });
    t.same(await listener.mend(), { mended: true });
    t.equal(statSync(file).mode & 0o777, 0o660);
    t.equal(statSync(path.dirname(file)).mode & 0o777, 0o777 & ~process.umask() & 0o755);
    const fresh = await connected(t, file);
    fresh.socket.write("new\n");
    await until("the new one is served", () => fresh.lines[0] === "<new>", 2_000);
    old.socket.write("old\n");
    await until("the old one is served", () => old.lines.length === round + 1, 2_000);
  }
  await listener.close();
  t.notOk(existsSync(file));
  await until("the oldest connection is ended too", () => old.closed, 2_000);
  t.same(await listener.mend(), { mended: false }, "a closed one stays closed");
});

t.test(
  "another's socket in its place is left alone, and its own comes back after it",
  async (t) => {
    const { file, listener } = await opened(t, echo);
    rmSync(file);
    const other = await opened(t, async () => "other", file);
    t.match(await listener.mend(), { message: /^Another process answers at / });
    t.match(await listener.mend(), { message: /^Another process answers at / });
    const client = await connected(t, file);
    client.socket.write("x\n");
    await until("the other serves", () => client.lines[0] === "other", 2_000);
    client.socket.destroy();
    await other.listener.close();
    t.same(await listener.mend(), { mended: true });

    rmSync(file);
    writeFileSync(file, "precious");
    t.match(await listener.mend(), { message: /is not a socket/ });
    rmSync(file);
    const last = await opened(t, async () => "last", file);
    await listener.close();
    t.ok(existsSync(file), "its end does not take the other's socket along");
    await last.listener.close();
  },
);
