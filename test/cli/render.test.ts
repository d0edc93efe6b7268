import tap from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { logText } from "../../cli/render/log-text.ts";
import { streamNote } from "../../cli/render/note.ts";
import { bitrate, bytes, frameRate, percent, speed } from "../../cli/render/rates.ts";
import { statusTable } from "../../cli/render/status-table.ts";
import { fit, textWidth } from "../../cli/render/text-width.ts";
import { clock, playhead, spoken, terse } from "../../cli/render/time.ts";
import { holdsSecret } from "../../cli/destination.ts";
import { parseDuration } from "../../cli/duration.ts";
import { parseKey } from "../../cli/key.ts";

process.env["TZ"] = "UTC";
const NOW = Date.parse("2026-03-04T12:00:00.000Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000];

const stream = (fields: Partial<StreamStatus>): StreamStatus => ({
  name: "radio",
  owner: "anna",
  mayControl: true,
  state: "stopped",
  desired: "stopped",
  health: "unknown",
  since: ago(2 * H),
  startedAt: null,
  pid: null,
  restarts: 0,
  retryAt: null,
  stopAt: null,
  input: "/srv/films/river.mp4",
  position: null,
  outputs: [],
  progress: null,
  lastExit: null,
  lastError: null,
  usage: null,
  tracks: null,
  note: null,
  ...fields,
});

const live = stream({
  state: "live",
  desired: "running",
  since: ago(3 * D + 4 * H),
  startedAt: ago(3 * D + 4 * H),
  health: "delivering",
  restarts: 1,
  position: { ms: 130 * S, durationMs: 1420 * S, cycle: 3 },
  progress: { outTimeMs: 1, frame: 1, fps: 25, speed: 1 },
  usage: {
    ...{ cpuPercent: 0.8, memoryBytes: 53_000_000, pssBytes: 20_000_000 },
    ...{ at: ago(S), warnings: 0 },
  },
  outputs: [
    {
      ...{ url: "rtmp://a/live/****", health: "delivering", bytes: 1, bitrateKbps: 4100 },
      ...{ backlogBytes: 0, rttMs: 20, retransmits: 0, healthBy: "kernel", error: null },
    },
  ],
});
const error = { code: "OPERATION_FAILED", message: "a.example refused the connection" };
const waiting = stream({
  name: "news",
  state: "backoff",
  restarts: 7,
  retryAt: new Date(NOW + 11_400).toISOString(),
  lastError: error,
});

void tap.test("times", async (t) => {
  const cases: ReadonlyArray<readonly [number, string, string]> = [
    [-5, "0 s", "0s"],
    [1200, "1.2 s", "1s"],
    [10 * S, "10 s", "10s"],
    [59_600, "1 min", "59s"],
    [125 * S, "2 min 5 s", "2m 5s"],
    [6 * H + 12 * M, "6 h 12 min", "6h 12m"],
    [76 * H + 59 * M, "3 d 4 h", "3d 4h"],
  ];
  for (const [ms, words, column] of cases) t.same([spoken(ms), terse(ms)], [words, column]);
  t.same([0, 130 * S, H + 130 * S].map(playhead), ["00:00", "02:10", "1:02:10"]);
  const moments = [ago(H), ago(D), ago(300 * D), "?"].map((at) => clock(at, NOW));
  t.same(moments, ["11:00", "Mar 3 12:00", "May 8 2025", "-"]);
});

void tap.test("rates", async (t) => {
  t.same([null, 0, 812.4, 999.6, 4123].map(bitrate), [
    "-",
    "0 kb/s",
    "812 kb/s",
    "1.0 Mb/s",
    "4.1 Mb/s",
  ]);
  t.same([null, 1, 0.998].map(speed), ["-", "1.00x", "1.00x"]);
  t.same([null, 25, 29.970_03].map(frameRate), ["-", "25", "29.97"]);
  t.same([null, 0, 0.84, 9.96, 93.4, 412].map(percent), [
    "-",
    "0.0%",
    "0.8%",
    "10%",
    "93%",
    "412%",
  ]);
  const memory = [null, 0, 19 * 1_048_576, 1.2 * 1024 ** 3];
  t.same(memory.map(bytes), ["-", "0 MB", "19 MB", "1.2 GB"]);
});

void tap.test("notes", async (t) => {
  const failed = stream({ state: "failed", lastError: error });
  const odd = stream({
    state: "live",
    note: "unattended",
    input: "/a/\u001B[2J",
    position: live.position,
  });
  t.equal(streamNote(live, NOW), "river.mp4 02:10/23:40");
  t.equal(streamNote(waiting, NOW), "retry in 12 s: a.example refused the connection");
  t.equal(streamNote({ ...waiting, retryAt: ago(1) }, NOW), `retry now: ${error.message}`);
  t.equal(streamNote(failed, NOW), error.message);
  t.equal(streamNote(stream({}), NOW), "-");
  t.equal(streamNote(stream({ state: "finished" }), NOW), "played to its end");
  t.equal(streamNote(odd, NOW), "unattended; \uFFFD[2J 02:10/23:40");
});

void tap.test("the table, where nothing is cut", async (t) => {
  t.same(statusTable([live, waiting], { now: NOW, room: null, colour: false }), [
    "NAME   STATE    HEALTH      SINCE        UP     BITRATE   FPS  SPEED  CPU   MEM    RESTARTS  NOTE",
    "radio  live     delivering  Mar 1 08:00  3d 4h  4.1 Mb/s  25   1.00x  0.8%  19 MB  1         river.mp4 02:10/23:40",
    "news   backoff  -           10:00        -      -         -    -      -     -      7         retry in 12 s: a.example refused the connection",
  ]);
});

void tap.test("the table on terminals of every width", async (t) => {
  for (let room = 1; room <= 130; room += 1) {
    const lines = statusTable([live, waiting], { now: NOW, room, colour: false });
    t.ok(
      lines.every((line) => textWidth(line) <= room),
      `no line is wider than ${room}`,
    );
  }
  const narrow = statusTable([live, waiting], { now: NOW, room: 50, colour: false });
  t.match(narrow[0], /^NAME +STATE +HEALTH +(?:UP +)?NOTE$/);
  t.match(narrow[2], /retry in 12 s.*…$/);
  const unshared = stream({
    usage: { cpuPercent: 1, memoryBytes: 53_000_000, pssBytes: null, at: ago(S), warnings: 0 },
  });
  const resident = statusTable([unshared], { now: NOW, room: null, colour: false });
  t.match(resident[1], / 51 MB /, "resident where the kernel does not tell the share");
  const painted = statusTable([live], { now: NOW, room: 130, colour: true });
  t.match(painted[1], "\u001B[32mlive\u001B[39m ");
  t.match(painted[1], "\u001B[32mdelivering\u001B[39m ");
  const poor = stream({ state: "live", health: "congested" });
  const marked = statusTable([poor], { now: NOW, room: 40, colour: true });
  t.match(marked[1], "\u001B[33mcongested\u001B[39m", "on the narrowest terminal too");
});

void tap.test("whose streams they are, where that differs", async (t) => {
  const others = stream({
    ...{ name: "news", owner: "bob", state: "backoff", mayControl: false, input: "" },
  });
  const view = { now: NOW, room: null, colour: false };
  t.same(
    statusTable([live, others], view).map((line) => line.replace(/ +/g, " ")),
    [
      "NAME OWNER STATE HEALTH SINCE UP BITRATE FPS SPEED CPU MEM RESTARTS NOTE",
      "radio anna live delivering Mar 1 08:00 3d 4h 4.1 Mb/s 25 1.00x 0.8% 19 MB 1 river.mp4 02:10/23:40",
      "news bob backoff - 10:00 - - - - - - 0 -",
    ],
  );
  t.match(statusTable([others, others], view)[0], /^NAME +STATE /, "one owner needs no column");
});

void tap.test("text on a terminal", async (t) => {
  t.same(["ab", "日本", "e\u0301"].map(textWidth), [2, 4, 1]);
  t.same(
    [fit("river", 5), fit("river", 4), fit("日本", 3), fit("x", 0)],
    ["river", "riv…", "日…", ""],
  );
});

void tap.test("log lines", async (t) => {
  const plain = { json: false, several: false, onTerminal: false };
  const lines = ["a\u001B[2J", "b"];
  t.equal(logText("radio", lines, plain), "a\u001B[2J\nb");
  t.equal(logText("radio", lines, { ...plain, onTerminal: true }), "a\uFFFD[2J\nb");
  t.equal(logText("radio", ["b"], { ...plain, several: true }), "radio: b");
  t.equal(logText("radio", ["b"], { ...plain, json: true }), '{"stream":"radio","line":"b"}');
});

void tap.test("durations as typed", async (t) => {
  const good = { "30s": 30 * S, "500ms": 500, "2m": 2 * M, "1h30m": 90 * M, "1.5": 1500, "0": 0 };
  for (const [text, ms] of Object.entries(good)) t.equal(parseDuration(text), ms, text);
  for (const text of ["", "s", "-1", "1 s", "1w", "1e3", "99999d"])
    t.equal(parseDuration(text), null, text);
});

void tap.test("destinations that hold a secret", async (t) => {
  const safe = ["rtmp://a/live", "rtmp://a/live/", "srt://a:9000", "srt://a:9000?mode=caller", "?"];
  const telling = [
    "rtmp://a/live/k",
    "rtmp://u:p@a/live",
    "rtmp://a/live?key=k",
    "srt://a:9?passphrase=k",
  ];
  for (const url of safe) t.notOk(holdsSecret(url), url);
  for (const url of telling) t.ok(holdsSecret(url), url);
});

void tap.test("keys as read from a file", async (t) => {
  t.same(parseKey(Buffer.from("k-1\r\n\n"), "it"), { ok: true, key: "k-1" });
  for (const text of ["", "\n", "secret\nmore", "secret\u0000", "k".repeat(4097)]) {
    const read = parseKey(Buffer.from(text), "it");
    t.match(read, { ok: false, status: 78 });
    t.notMatch(JSON.stringify(read), "secret");
  }
});
