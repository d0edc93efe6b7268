import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import t from "tap";
import { listen } from "../../daemon/rpc/listen.ts";
import type { Peer } from "../../daemon/rpc/peer.ts";
import { type Handlers, answerer } from "../../daemon/rpc/server.ts";
import { Shares } from "../../daemon/rpc/shares.ts";
import { FrameReader } from "../../shared/frames.ts";
import { recordingLog } from "../helpers/recording-log.ts";
import { until } from "../helpers/until.ts";

const peer = (uid: number): Peer => ({ uid, groups: [] });
const gone = (): AbortSignal => new AbortController().signal;

t.test("whoever asks for little does not wait for whoever asks for much", async (t) => {
  const shares = new Shares((uid) => uid === 0);
  const begun: string[] = [];
  const ask = async (who: string, share: ReturnType<Shares["of"]>): Promise<unknown> =>
    share.begin(async () => begun.push(who));
  const [bob, bobToo] = [shares.of(peer(1001), gone()), shares.of(peer(1001), gone())];
  const all = Array.from({ length: 100 }, (_, n) => ask("bob", n % 2 === 0 ? bob : bobToo));
  all.push(ask("anna", shares.of(peer(1000), gone())));
  all.push(ask("root", shares.of(peer(0), gone())), ask("?", shares.of(null, gone())));
  await Promise.all(all);
  t.same(begun.slice(0, 5), ["bob", "anna", "root", "?", "bob"]);
  t.equal(begun.length, 103);
});

t.test(
  "the daemon's other work comes between, and what one has led to is done before the next",
  async (t) => {
    const shares = new Shares(() => false);
    const bob = shares.of(peer(1001), gone());
    const steps: string[] = [];
    const all = Array.from({ length: 5 }, () =>
      bob.begin(async () => {
        steps.push("begun");
        for (let n = 0; n < 50; n += 1) await Promise.resolve();
        steps.push("done");
      }),
    );
    while (steps.length < 10) {
      await setImmediate();
      steps.push("other");
    }
    await Promise.all(all);
    t.notMatch(steps.join(" "), /begun begun|done begun/);
  },
);

t.test("what waits for somebody who has gone is forgotten where it is too much", async (t) => {
  const shares = new Shares(() => false);
  const away = new AbortController();
  const bob = shares.of(peer(1001), away.signal);
  let begun = 0;
  const all = Array.from({ length: 5_000 }, () => bob.begin(async () => (begun += 1)));
  away.abort();
  t.equal((await Promise.all(all)).filter((one) => one === null).length, 5_000 - 1_000);
  t.equal(begun, 1_000, "a few that were sent before a goodbye are carried out");
});

t.test("answers that nobody takes are bounded for each user", async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "sb-sh-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  let answered = 0;
  const handlers = new Proxy({} as Handlers, {
    get: () => async () => {
      answered += 1;
      return { text: "x".repeat(1024 * 1024) };
    },
  });
  const file = path.join(home, "s");
  const uids: number[] = [];
  const listening = await listen(
    file,
    answerer(handlers, "1", recordingLog().log),
    () => {},
    () => peer(uids.shift() ?? 0),
  );
  if (!listening.ok) throw new Error(listening.message);
  t.teardown(() => listening.listener.close());
  const connected = (uid: number): { socket: net.Socket; lines: string[] } => {
    uids.push(uid);
    const socket = net.connect(file);
    t.teardown(() => socket.destroy());
    const lines: string[] = [];
    const frames = new FrameReader(256 * 1024 * 1024);
    socket.on("data", (chunk: Buffer) =>
      frames.push(
        chunk,
        (line) => lines.push(line),
        () => {},
      ),
    );
    return { socket, lines };
  };
  const ask = (id: number): object => ({ jsonrpc: "2.0", id, method: "daemon.config" });
  const batch = JSON.stringify(Array.from({ length: 20 }, (_, id) => ask(id)));
  const greedy = Array.from({ length: 5 }, () => connected(1001));
  for (const { socket } of greedy) {
    socket.pause();
    socket.write(`${batch}\n`);
  }
  await until("the bound is reached", () => answered >= 32, 20_000);
  const other = connected(1000);
  other.socket.write(`${JSON.stringify(ask(1))}\n`);
  await until("another is answered", () => other.lines.length === 1, 20_000);
  t.match(JSON.parse(other.lines[0] ?? ""), { id: 1, result: {} });
  t.ok(answered <= 35, `${answered} of 100 were answered`);
  for (const { socket } of greedy) socket.resume();
  await until("all have an answer", () => greedy.every(({ lines }) => lines.length === 1), 20_000);
  const codes = greedy.flatMap(({ lines }) =>
    (JSON.parse(lines[0] ?? "") as { error?: { data: { code: string } } }[]).map(
      ({ error }) => error?.data.code ?? "answered",
    ),
  );
  t.equal(codes.length, 100);
  t.same(new Set(codes), new Set(["answered", "TOO_MANY_REQUESTS"]));
  const [again] = greedy;
  await until(
    "what was taken counts no more",
    async () => {
      const before = again?.lines.length ?? 0;
      again?.socket.write(`${JSON.stringify(ask(2))}\n`);
      await until("an answer", () => (again?.lines.length ?? 0) > before, 20_000);
      return again?.lines.at(-1)?.includes('"result"') === true;
    },
    20_000,
  );
});
