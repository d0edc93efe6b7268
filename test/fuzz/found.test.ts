import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { tellingLine } from "../../daemon/encoders/reason.ts";
import { classify } from "../../daemon/failure/classify.ts";
import { lastReport } from "../../daemon/ffmpeg/progress.ts";
import { versionIn } from "../../daemon/ffmpeg/version.ts";
import { parseSockets } from "../../daemon/health/sockets.ts";
import { LimitsRecord } from "../../daemon/limits/limits-file.ts";
import { lastLines } from "../../daemon/logs/follow.ts";
import { clocksIn } from "../../daemon/media/clock-jump.ts";
import { interleaveOf } from "../../daemon/media/interleave.ts";
import { packetsIn } from "../../daemon/media/packets.ts";
import { readReport } from "../../daemon/media/probe-report.ts";
import { parseStat } from "../../daemon/runner/identity.ts";
import { readExit, readPids } from "../../daemon/runner/run-record.ts";
import type { Log } from "../../daemon/log/log.ts";
import { type Handlers, answerer } from "../../daemon/rpc/server.ts";
import { parseRecord } from "../../daemon/store/record-file.ts";
import { SecretRecord } from "../../daemon/store/schemas.ts";
import { find } from "../../daemon/users/look-up.ts";
import { SECRET } from "./properties.ts";

/* What fuzzing has found, each as short as it was made. */

const home = mkdtempSync(path.join(os.tmpdir(), "streambro-found-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));

t.test("a damaged file of keys is told of without what is in it", async (t) => {
  const whole = JSON.stringify({ version: 1, outputs: [{ rtmp_playpath: SECRET }] });
  for (let at = 0; at <= whole.length; at += 1)
    for (const spoilt of [whole.slice(0, at), `${whole.slice(0, at)}"${whole.slice(at)}`]) {
      const found = parseRecord(spoilt, SecretRecord);
      if (found.is !== "good") t.notMatch(found.why, /hunter/, found.why);
    }
  const found = parseRecord("\u001B[2J", SecretRecord);
  t.match(found, { is: "bad", why: /^it is not JSON/ });
});

t.test("what is wrong with a file is told without what would steer a terminal", async (t) => {
  const users = '{"version":1,"perUser":null,"global":null,"users":{"\\u001b[2J\\u202e":-1}}';
  const found = parseRecord(users, LimitsRecord);
  t.not(found.is, "good");
  t.notMatch(found.is === "good" ? "" : found.why, /[\p{Cc}\p{Cf}]/u);
});

t.test(
  "a refusal of parameters is short and steers nothing, whatever they are called",
  async (t) => {
    const silent = (): void => {};
    const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };
    const answer = answerer({} as Handlers, "1", log);
    const users = { [`\u001B[2J\u202E${"a".repeat(5_000)}`]: 3 };
    const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "limits.set", params: { users } });
    const said = await answer(line, { gone: new AbortController().signal, peer: null });
    const { error } = JSON.parse(said ?? "{}") as { error: { message: string } };
    t.ok(error.message.length < 1_000, error.message);
    t.notMatch(error.message, /[\p{Cc}\p{Cf}]/u);
  },
);

t.test("a key that stands where a sentence is cut or cleaned is not shown in part", async (t) => {
  const about = { name: "radio", host: "h", secrets: [SECRET] };
  for (let length = 150; length < 200; length += 1) {
    const log = `[h264_nvenc @ 0x1] no capable devices found ${"x".repeat(length)}${SECRET}\n`;
    t.notMatch(classify({ code: 1, signal: null }, log, about, null).message, /hunter/);
  }
  const turned = { ...about, secrets: ["hunter\u202E2"] };
  const log = "[h264_nvenc @ 0x1] no capable devices found hunter\u202E2\n";
  t.notMatch(classify({ code: 1, signal: null }, log, turned, null).message, /hunter/);
});

t.test("a key that is a word of FFmpeg's does not change what is understood", async (t) => {
  const about = { name: "radio", host: "h", secrets: ["refused"] };
  const log = "[tcp @ 0x1] Connection to tcp://h:1935 failed: Connection refused\n";
  t.equal(classify({ code: 1, signal: null }, log, about, null).reason, "connection-refused");
});

t.test("nor at the edge of what is read of a log", async (t) => {
  const file = path.join(home, "log");
  const after = `${"y".repeat(1_000)}\n`.repeat(130);
  for (let length = 131_072 - SECRET.length; length < 131_072; length += 5) {
    writeFileSync(file, `${SECRET}${"x".repeat(length - after.length)}\n${after}`);
    const lines = lastLines(file, 10_000).lines.join("\n");
    if (!lines.includes(SECRET)) t.notMatch(lines, /secret-key|ret-key|-key/);
  }
  t.equal(lastLines(file, 10_000).lines.length, 130);
});

t.test("a receiver cannot end a stream for good in FFmpeg's name", async (t) => {
  const about = { name: "radio", host: "h" };
  const lies = `[rtmp @ 0x1] Server error: releaseStream${"\nUnknown encoder 'x'".repeat(12)}\n`;
  t.equal(classify({ code: 1, signal: null }, lies, about, null).permanent, false);
  const honest = "Unknown encoder 'x'\n";
  t.equal(classify({ code: 1, signal: null }, honest, about, null).permanent, true);
});

t.test("numbers that are none", async (t) => {
  t.equal(parseStat(" 0 R \u0015 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 5 "), null, "a parent");
  writeFileSync(path.join(home, "exit"), "679");
  t.equal(readExit(home), null, "an exit status");
  writeFileSync(path.join(home, "pids"), `${"9".repeat(400)} 1 ${"9".repeat(400)} 1\n`);
  t.equal(readPids(home), null, "pids");
  t.equal(lastReport("frame=-1\nprogress=end\n")?.frame, null, "a frame");
  t.equal(lastReport("frame=1e999\nspeed=-3x\nprogress=end\n")?.speed, null, "a speed");
  t.equal(parseSockets("pid=17171717171717171,fd=").size, 0, "a pid of ss");
  const huge = `x 0 0 a:1 b:2 (("f",pid=7,fd=1)) bytes_acked:${"9".repeat(400)}`;
  t.equal(parseSockets(huge).get(7)?.acked, 0, "bytes");
  t.equal(find("root::4294967296", "root"), null, "a uid");
  t.same(packetsIn("video,0,1e999,,,K"), [], "a time");
  t.equal(packetsIn("video,0,1,1,1e999,K")[0]?.durationMs, null, "a length");
  t.same(clocksIn("constructor", Buffer.alloc(400, 0x47)), [], "a container");
});

t.test("a report of ffprobe with numbers beyond reckoning", async (t) => {
  const report = (video: object, format: object, audio: object = {}): unknown =>
    readReport(
      JSON.stringify({
        streams: [
          { index: 0, codec_type: "video", codec_name: "h264", avg_frame_rate: "25/1", ...video },
          { index: 1, codec_type: "audio", codec_name: "aac", sample_rate: "48000", ...audio },
        ],
        format: { format_name: "mp4", duration: "6", ...format },
      }),
    );
  t.equal(report({}, { duration: "1e308" }), "no-duration");
  t.match(report({}, {}, { duration: -1e308 }), { audioEndMs: null });
  t.match(report({ avg_frame_rate: "1/1e308" }, {}), { video: { frameMs: 40 } });
  t.match(report({}, {}, { codec_name: "constructor" }), { audio: { frameMs: Number } });
  t.match(report({ side_data_list: [{ rotation: 1e38 }] }, {}), { video: { rotation: 0 } });
  t.equal(report({ width: -1 }, {}), "damaged");
});

t.test("more packets than a call takes arguments", async (t) => {
  const packets = packetsIn("video,0,1,1,1,K\n".repeat(400_000));
  const video = { index: 0, frameMs: 40 };
  t.match(interleaveOf([packets, packets, packets], video, null), { reorderMs: 0, startMs: 1_000 });
});

t.test("FFmpeg's version and an encoder's complaint are as long as people can read", async (t) => {
  t.ok((versionIn(`ffmpeg version ${"5".repeat(60_000)}\n`)?.length ?? 0) <= 101);
  t.ok((tellingLine(`${"no ".repeat(20_000)}\n`)?.length ?? 0) <= 201);
});
