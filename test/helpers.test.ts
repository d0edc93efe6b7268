import { type ChildProcess, spawn } from "node:child_process";
import { type Test, test } from "tap";
import { firstBreak, isContiguousPiece, trackPiece } from "./helpers/contiguous.ts";
import { film, renderFilm } from "./helpers/film.ts";
import { type Packet, ofTrack, packetHashes } from "./helpers/packets.ts";
import { isAlive, leftovers, processOf, waitForEnd, withArgument } from "./helpers/processes.ts";
import { type RtmpServer, startRtmpServer } from "./helpers/rtmp-server.ts";
import { until } from "./helpers/until.ts";

const LOOPED = ["-v", "error", "-re", "-stream_loop", "-1", "-i"];
const COPIED = ["-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-f", "flv"];

const push = (file: string, url: string, env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn("ffmpeg", [...LOOPED, file, ...COPIED, url], { stdio: "ignore", env });

const over = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const end = async (child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
  child.kill(signal);
  await until("the pusher ends", () => over(child), 5000);
};

const started = async (t: Test): Promise<RtmpServer> => {
  const server = await startRtmpServer();
  t.teardown(async () => server.stop());
  return server;
};

void test("a server counts what a publisher sends, and each turn is recorded whole", async (t) => {
  const server = await started(t);
  const source = await film();
  const watch = server.watchPublishers();

  const first = push(source, `${server.url}/radio`);
  const stats = await server.waitForPublisher("radio", 10_000);
  t.match(stats, { app: "live", name: "radio", publishers: 1, videoCodec: "H264" });
  const more = async (bytes: number): Promise<unknown> =>
    until(
      "more bytes",
      async () => {
        const { streams } = await server.stats();
        return (streams.find(({ name }) => name === "radio")?.bytesIn ?? 0) > bytes;
      },
      10_000,
    );
  await more(stats.bytesIn + 50_000);
  const [open] = server.publishes("radio");
  t.match(open, { endedMs: null, rejected: false }, "under way");
  t.ok((await packetHashes(open?.file ?? "")).length > 10, "readable while it grows");

  const second = push(source, `${server.url}/radio`);
  await until("the second one is refused", () => over(second), 10_000);
  t.equal(server.mostAtOnce("radio"), 2, "a second pusher is seen although nginx refused it");

  await end(first);
  await until("the turn is over", () => server.publishes("radio")[0]?.endedMs, 5000);
  await until("its absence is seen", () => watch.of("radio")?.absences.length === 1, 5000);
  const third = push(source, `${server.url}/radio`);
  await server.waitForPublisher("radio", 10_000);
  await more(10_000);
  await end(third, "SIGTERM");
  await until("the last turn is over", () => server.publishes("radio")[2]?.endedMs, 5000);

  const turns = server.publishes("radio");
  t.equal(turns.length, 3);
  const whole = await packetHashes(source);
  for (const file of [turns[0]?.file, turns[2]?.file]) {
    const run = await packetHashes(file ?? "");
    const piece = isContiguousPiece(run, whole);
    t.ok(piece, "contiguous", {
      break: firstBreak(ofTrack(run, "video"), ofTrack(whole, "video")),
    });
    t.equal(piece?.video?.from, 0, "from the first picture on");
    t.equal(piece?.audio?.from, 0, "and the first sound");
  }
  const { streams, unanswered } = await watch.stop();
  t.match(streams, [{ name: "radio", maxPublishers: 1, monotonic: false }]);
  t.same(unanswered, []);
  t.ok((streams[0]?.bytesIn ?? 0) > stats.bytesIn + 60_000, "over all turns");
});

void test("a frozen server reads nothing, and goes on when thawed", async (t) => {
  const server = await started(t);
  const watch = server.watchPublishers();
  const pusher = push(await renderFilm({ seconds: 3, gop: 25 }), `${server.url}/cold`);
  const before = await server.waitForPublisher("cold", 10_000);
  await until("the watch sees it", () => watch.of("cold"), 5000);
  await server.freeze();
  await t.rejects(server.stats(), "no answer");
  await until("the silence is noticed", () => watch.report().unanswered.length === 1, 5000);
  await until("the gap grows", () => (watch.of("cold")?.largestGapMs ?? 0) >= 1000, 5000);
  server.thaw();
  await until(
    "bytes again",
    async () => ((await server.stats()).streams[0]?.bytesIn ?? 0) > before.bytesIn + 20_000,
    10_000,
  );
  const { streams, unanswered } = await watch.stop();
  t.equal(streams[0]?.maxPublishers, 1);
  t.same(streams[0]?.absences, [], "the connection lasted");
  t.ok((streams[0]?.largestGapMs ?? 0) >= 1000, "the gap is on record");
  t.type(unanswered[0]?.toMs, "number");
  await end(pusher);
});

void test("a server refuses by rule or by application, dies, and comes back", async (t) => {
  const server = await started(t);
  const source = await renderFilm({ seconds: 3, gop: 25, audio: "none" });
  const closed = push(source, `${server.closedUrl}/x`);
  server.reject((name) => name === "bad");
  const bad = push(source, `${server.url}/bad`);
  await until("both are turned away", () => over(closed) && over(bad), 10_000);
  t.match(server.publishes(), [{ name: "bad", rejected: true, file: null }]);
  t.equal(server.mostAtOnce("bad"), 0);

  const cut = push(source, `${server.url}/cut`);
  await server.waitForPublisher("cut", 10_000);
  await server.kill();
  await until("its pusher notices", () => over(cut), 10_000);
  t.type(server.publishes("cut")[0]?.endedMs, "number");
  await server.restart();
  const again = push(source, `${server.url}/cut`);
  t.match(await server.waitForPublisher("cut", 10_000), { audioCodec: null, publishers: 1 });
  await end(again);
  await until("it is noted", () => server.publishes("cut")[1]?.endedMs, 5000);
  t.equal(new Set(server.publishes("cut").map(({ file }) => file)).size, 2);
});

void test("processes are found by marker and argument, and told from their zombies", async (t) => {
  const marker = `${t.testdirName}/state`;
  const env = { PATH: process.env["PATH"], STREAMBRO_RUN: `${marker}/radio` };
  const child = push(await renderFilm({ seconds: 3, gop: 25 }), "rtmp://127.0.0.1:9/x", env);
  await until("it is refused", () => over(child), 10_000);
  const sleeper = spawn("sleep", ["86399"], { stdio: "ignore", env });
  const [found] = await until("it is found", () => leftovers(marker), 2000);
  t.equal(found?.pid, sleeper.pid);
  t.ok(withArgument("86399").some(({ pid }) => pid === sleeper.pid));
  const one = processOf(sleeper.pid ?? 0);
  t.ok(one !== null && isAlive(one));
  t.notOk(one !== null && isAlive({ pid: one.pid, startTime: "1" }), "a pid alone proves nothing");
  sleeper.kill("SIGKILL");
  if (one !== null) await waitForEnd(one, 2000);
  t.same(leftovers(marker), []);
});

const packets = (hashes: string): Packet[] =>
  hashes.split("").map((hash) => ({ track: "video", hash, key: true, dtsMs: 0 }));

void test("a run is a contiguous piece of the looped source, or not", async (t) => {
  const source = packets("abcde");
  const piece = (run: string, loops?: number): unknown => trackPiece(packets(run), source, loops);
  t.match(piece("bcd"), { from: 1, to: 4, sourceLength: 5 });
  t.match(piece("deabcdeab"), { from: 3, to: 12 });
  t.equal(piece("deabcdeab", 2), null, "more loops than allowed");
  t.equal(piece("abd"), null, "a hole");
  t.equal(piece("abba"), null, "backwards");
  t.equal(piece("abx"), null, "a stranger");
  t.equal(piece(""), null, "nothing");
  t.match(firstBreak(packets("cdea-"), source), { at: 4, sourceIndex: -1 });
  await t.rejects(
    until("never", () => 0, 30),
    /not within 30 ms: never; last seen: 0/,
  );
});
