import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import net from "node:net";
import { userInfo } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import t from "tap";
import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const KEY = "live_history-6b1f0a2c";
const STREAMBRO = path.resolve(import.meta.dirname, "../../bin/streambro");
const DEADLINE = 30_000;

const one = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const [stream] = (await daemon.rpc("stream.status", { names: [name] })).streams;
  if (stream === undefined) throw new Error(`no ${name}`);
  return stream;
};

const when = async (
  daemon: Daemon,
  name: string,
  what: string,
  isSo: (stream: StreamStatus) => boolean,
): Promise<StreamStatus> =>
  until(
    `${name}: ${what}`,
    async () => {
      const stream = await one(daemon, name);
      return isSo(stream) ? stream : null;
    },
    DEADLINE,
  );

const history = async (daemon: Daemon, name?: string): Promise<HistoryEntry[]> =>
  (await daemon.rpc("history.list", name === undefined ? {} : { names: [name] })).entries;

/** A command that goes on, and what it has printed so far. */
const following = (daemon: Daemon, ...args: string[]) => {
  const child = spawn(STREAMBRO, args, { env: daemon.env });
  const made = { child, out: "", err: "", exit: undefined as number | null | undefined };
  child.stdout.on("data", (data) => (made.out += String(data)));
  child.stderr.on("data", (data) => (made.err += String(data)));
  child.on("close", (code) => (made.exit = code));
  t.teardown(() => void (child.exitCode ?? child.kill("SIGKILL")));
  return made;
};
const ended = async (made: ReturnType<typeof following>): Promise<number | null> => {
  await until("the command ends", () => made.exit !== undefined, DEADLINE);
  return made.exit ?? null;
};

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;

/** Starts that a limit refuses: each of them is an event, and costs nothing else. */
const refusals = async (daemon: Daemon, name: string, count: number): Promise<void> => {
  const socket = net.connect(daemon.socket);
  const request = { jsonrpc: "2.0", id: 1, method: "stream.start", params: { name } };
  const line = `${JSON.stringify(Array.from({ length: 100 }, () => request))}\n`;
  let answered = 0;
  socket.on("data", (data: Buffer) => {
    answered += data.toString("latin1").split("\n").length - 1;
  });
  for (let sent = 0; sent < count; sent += 100) socket.write(line);
  await until("all are refused", () => answered >= count / 100, DEADLINE);
  socket.destroy();
};

t.test("what happened", { timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { RETRY_FIRST_MS: "50" } });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4 });
  const user = userInfo().username;
  const keyFile = path.join(daemon.dir, "key");
  writeFileSync(keyFile, `${KEY}\n`);

  const listener = following(daemon, "events", "-f", "--json");
  const heard = (): HistoryEntry[] =>
    listener.out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .flatMap(({ type, event }) => (type === "event" ? [event] : []));

  await t.test("one command tells it, in order", async (t) => {
    const add = ["add", "radio", "--input", input, "--to", server.url, "--key-file", keyFile];
    t.equal((await daemon.cli(...add)).code, 0);
    t.equal((await daemon.cli("start", "radio", "--wait")).code, 0);
    const { pid } = await one(daemon, "radio");
    process.kill(pid ?? 0, "SIGKILL");
    await when(daemon, "radio", "is back", (now) => now.state === "live" && now.pid !== pid);
    await server.kill();
    await when(
      daemon,
      "radio",
      "is refused",
      ({ lastExit }) => lastExit?.reason === "connection-refused",
    );
    await server.restart();
    await when(daemon, "radio", "is live again", ({ state }) => state === "live");
    await daemon.rpc("stream.stop", { name: "radio" });
    await when(daemon, "radio", "is stopped", ({ state }) => state === "stopped");
    await daemon.rpc("stream.start", { name: "radio" });
    const live = await when(daemon, "radio", "is live", ({ state }) => state === "live");
    await until("it is told live", () => heard().at(-1)?.to === "live", DEADLINE);
    const former = daemon.pid();
    await daemon.kill("SIGKILL");
    const db = new DatabaseSync(path.join(daemon.stateDir, "history.db"));
    t.same({ ...db.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
    db.close();
    await daemon.start();

    const { stdout, code } = await daemon.cli("history", "--since", "10m");
    t.equal(code, 0);
    const told = stdout.trim().split("\n");
    const wanted: readonly RegExp[] = [
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\(daemon\) +started +streambrod [\d.]+ started as process \d+$/,
      new RegExp(` radio +added +added: .* to ${server.url}/\\*\\*\\*\\*, by ${user}$`),
      new RegExp(` radio +stopped -> starting +asked to start, by ${user}$`),
      new RegExp(` radio +started +started FFmpeg ${pid ?? 0}$`),
      / radio +starting -> live +on the air [\d.]+ s after FFmpeg was started$/,
      / radio +live -> backoff +FFmpeg .*SIGKILL.*[;.?] [Rr]etry in [\d.]+ s$/,
      / radio +backoff -> starting +trying again$/,
      / radio +started +started FFmpeg \d+$/,
      / radio +starting -> live /,
      / radio +live -> backoff +.*127\.0\.0\.1.*[;.?] [Rr]etry in [\d.]+ s$/,
      / radio +starting -> backoff +.*refused.*[;.?] [Rr]etry in [\d.]+ s$/,
      / radio +starting -> live /,
      new RegExp(` radio +live -> stopping +asked to stop, by ${user}$`),
      / radio +stopping -> stopped +FFmpeg has ended$/,
      new RegExp(` radio +stopped -> starting +asked to start, by ${user}$`),
      / radio +starting -> live /,
      new RegExp(
        ` \\(daemon\\) +lost +streambrod ${former} ended without a goodbye, last seen alive \\d`,
      ),
      / \(daemon\) +started /,
      new RegExp(` radio +adopted live +adopted FFmpeg ${live.pid ?? 0}, which was running before`),
    ];
    // Each is found after the one before; how often a refused one is tried is left to it.
    let from = 0;
    for (const line of wanted) {
      const at = told.findIndex((text, index) => index >= from && line.test(text));
      t.ok(at >= 0, `${String(line)} after line ${from}`, { told });
      from = at + 1;
    }
    t.equal(from, told.length, "and that is the end of it");
    const ids = (await history(daemon)).map(({ id }) => id);
    t.same(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    t.equal(new Set(ids).size, ids.length);
  });

  await t.test("events -f told the same while it happened", async (t) => {
    t.equal(await ended(listener), 69, "the daemon it spoke with is gone");
    t.match(listener.err, /daemon has gone; its streams go on/);
    const known = (await history(daemon)).filter(({ kind }) => !kind.startsWith("daemon-"));
    const live = known.filter(({ kind }) => kind !== "adopted");
    t.same(heard(), live);
  });

  await t.test("a removed stream's past stays", async (t) => {
    await daemon.rpc("stream.stop", { name: "radio" });
    await when(daemon, "radio", "is stopped", ({ state }) => state === "stopped");
    await daemon.rpc("stream.start", { name: "radio", forMs: 1_000 });
    await when(daemon, "radio", "its time is over", ({ state }) => state === "stopped");
    t.match(
      (await history(daemon, "radio")).findLast(({ to }) => to === "stopping"),
      { message: "its time is over", by: null },
    );
    await daemon.rpc("stream.start", { name: "radio" });
    await when(daemon, "radio", "is live", ({ state }) => state === "live");
    await daemon.rpc("stream.set", { name: "radio", key: `${KEY}-new`, loop: false });
    await daemon.rpc("stream.remove", { name: "radio" });
    const rows = await history(daemon, "radio");
    t.match(
      rows.slice(-4).map(({ kind, message, by }) => [kind, message, by?.user]),
      [
        ["changed", /^changed: (key, loop|loop, key)$/, user],
        ["state", "asked to remove it", user],
        ["state", "FFmpeg has ended", undefined],
        ["removed", "removed", user],
      ],
    );
    t.equal((await daemon.cli("status", "radio")).code, 4);
    t.equal((await daemon.cli("history", "radio", "-q")).code, 0);
    t.match(await daemon.cli("history", "nobody"), { code: 4, stdout: "" });
  });

  await t.test("a reader that never reads is cut off, and costs nothing", async (t) => {
    const to = `${server.url}/other`;
    await daemon.rpc("stream.add", { name: "other", input, to, owner: "nobody" });
    await daemon.rpc("limits.set", { users: { nobody: 0 } });
    await refusals(daemon, "other", 10_000);
    const before = residentBytes(daemon.pid());
    const slow = net.connect(daemon.socket);
    const subscribe = { jsonrpc: "2.0", id: 1, method: "events.subscribe", params: {} };
    slow.write(`${JSON.stringify(subscribe)}\n`);
    await once(slow, "readable");
    // What it has not taken stays in the kernel, and then in the daemon.
    const quick = following(daemon, "events", "-f", "--json");
    await until("another listens", () => quick.out !== "", DEADLINE);
    const quickHeard = (): number => quick.out.split("\n").length - 2;
    for (let made = 1_000; made <= 10_000; made += 1_000) {
      await refusals(daemon, "other", 1_000);
      await until(`who reads has heard ${made}`, () => quickHeard() >= made, DEADLINE);
    }
    const dropped = (): number =>
      daemon.events().filter(({ event }) => event === "events-dropped").length;
    await until("it is dropped", dropped, DEADLINE);
    const grown = residentBytes(daemon.pid()) - before;
    // What ten thousand refusals leave to be collected comes and goes in steps of tens of megabytes.
    t.ok(grown < 96 << 20, `${Math.round(grown / 1024)} KiB more`);
    t.comment(`10,000 events: ${Math.round(grown / 1024)} KiB more resident`);
    t.equal(dropped(), 1, "said once");
    let text = "";
    slow.on("data", (data) => (text += String(data)));
    await once(slow, "close");
    const heard = text.split("\n").length;
    t.ok(heard > 1_000 && heard < 6_000, `${heard} lines had been sent`);
    quick.child.kill("SIGINT");
    t.equal(await ended(quick), 130);
    t.ok((await history(daemon, "other")).length < 1_000, "nor does it fill the disk");
  });

  await t.test("the daemon says goodbye", async (t) => {
    const last = following(daemon, "events", "-f");
    await until("it listens", () => last.out !== "", DEADLINE);
    await daemon.kill("SIGTERM");
    t.equal(await ended(last), 69);
    t.match(last.out, /\(daemon\) {2}stopped +streambrod ended: SIGTERM\n$/);
    t.equal(last.err, "streambro: no more events: the daemon has ended\n");
    await daemon.start();
    writeFileSync(path.join(daemon.dir, "conf.yaml"), "log_level: warn\n");
    await daemon.rpc("daemon.reload", {});
    await daemon.rpc("daemon.stop", { keepStreams: true });
    await until("it ends", () => !daemon.running(), DEADLINE);
    await daemon.start();
    t.match(
      (await history(daemon)).slice(-5).map(({ kind, message, by }) => [kind, message, by?.user]),
      [
        ["daemon-stopped", "streambrod ended: SIGTERM", undefined],
        ["daemon-started", /started as process/, undefined],
        ["settings", "log_level info -> warn", user],
        ["daemon-stopped", "streambrod ended: daemon stop --keep-streams", user],
        ["daemon-started", /started as process/, undefined],
      ],
    );
  });

  await t.test("no key is in it, and nobody else may read it", async (t) => {
    const files = readdirSync(daemon.stateDir).filter((name) => name.startsWith("history.db"));
    t.same(files, ["history.db", "history.db-wal"]);
    for (const name of files) {
      const file = path.join(daemon.stateDir, name);
      t.equal(statSync(file).mode & 0o777, 0o600, name);
      t.notOk(readFileSync(file).includes(KEY), name);
    }
    t.notMatch(JSON.stringify(heard()), KEY);
    t.equal(readFileSync(path.join(daemon.dir, "stderr"), "utf8"), "", "and no word on stderr");
  });

  await t.test("a bad page in it keeps no daemon from starting", async (t) => {
    await daemon.kill("SIGKILL");
    const file = path.join(daemon.stateDir, "history.db");
    const db = new DatabaseSync(file);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    // Its index, which is all that is read when the file is opened, stays good.
    const found = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'entries'").get();
    db.close();
    const fd = openSync(file, "r+");
    writeSync(fd, Buffer.alloc(4_096, 0xa5), 0, 4_096, (Number(found?.["rootpage"]) - 1) * 4_096);
    closeSync(fd);
    await daemon.start();
    const { warnings } = await daemon.rpc("daemon.status", {});
    t.match(warnings, [/history\.db could not be read .* set aside as history\.db\.unreadable-/]);
    t.match(
      (await history(daemon)).map(({ kind, details }) => [kind, details["lastSeen"] ?? ""]),
      [
        ["daemon-lost", /^\d{4}-/],
        ["daemon-started", ""],
      ],
    );
  });
});
