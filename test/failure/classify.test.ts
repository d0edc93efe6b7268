import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import type { FailureReason } from "../../shared/states.ts";
import { classify, rowFor } from "../../daemon/failure/classify.ts";
import { judged } from "../../daemon/failure/judged.ts";
import { FAILURES } from "../../daemon/failure/table.ts";
import { exitOf } from "../../daemon/ffmpeg/failure.ts";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { WORDS } from "./words.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-failure-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const film = path.join(home, "film.mp4");
const opus = path.join(home, "opus.mkv");

t.before(async () => {
  const picture = [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    "testsrc=s=64x48:r=25",
    "-f",
    "lavfi",
    "-i",
    "sine=r=48000",
    "-t",
    "1",
  ];
  await output("ffmpeg", [
    ...picture,
    "-c:v",
    "flv1",
    "-c:a",
    "aac",
    "-f",
    "matroska",
    `${film}.mkv`,
  ]);
  await output("ffmpeg", [...picture, "-c:v", "mpeg4", "-c:a", "aac", film]);
  await output("ffmpeg", [...picture, "-c:v", "flv1", "-c:a", "libopus", opus]);
});

t.test("exit statuses as a shell records them", async (t) => {
  const signals = {
    129: "SIGHUP",
    130: "SIGINT",
    134: "SIGABRT",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
  };
  for (let status = 0; status < 256; status += 1) {
    const { code, signal } = exitOf(status);
    t.ok((code === null) !== (signal === null), String(status));
  }
  for (const [status, signal] of Object.entries(signals))
    t.same(exitOf(Number(status)), { code: null, signal });
  t.same(exitOf(128), { code: 128, signal: null });
});

const RADIO = { name: "radio", host: "h.example:1935" };

const exit = (status: number | null): ReturnType<typeof exitOf> =>
  status === null ? { code: null, signal: null } : exitOf(status);

const judge = (
  status: number | null,
  log: string,
  sentMs: number | null = null,
): ReturnType<typeof classify> => classify(exit(status), log, RADIO, sentMs);

t.test("FFmpeg's words lead to their row of the table", async (t) => {
  for (const { row, from, status, sentMs = null, log } of WORDS) {
    const about = `${row}: ${status} ${from}`;
    t.equal(rowFor(exit(status), judged(log), sentMs).id, row, about, { log });
    t.notMatch(judge(status, log, sentMs).message, /HOST|LINE|NAME|SIGNAL|STATUS/, about);
  }
});

t.test("every row has words that lead to it", async (t) => {
  const ids = FAILURES.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, "each has a name of its own");
  t.same(
    ids.filter((id) => !WORDS.some(({ row }) => row === id)),
    [],
  );
});

t.test("every sentence says what happened and what to do, in a line", async (t) => {
  for (const { id, happened, advice } of FAILURES) {
    t.match(happened, /^(?:HOST|FFmpeg|[a-z])[^.]*$/, id);
    t.match(advice, /^[A-Zr][^]*[^.\s]$/, id);
    const length = `${happened}. ${advice}`.length;
    t.ok(length <= 200, `${id}: ${length} characters`);
  }
  t.equal(
    judge(1, "rtmp://h/app: Connection refused").message,
    "h.example:1935 refused the connection. Is the server running there, and is the port right?",
  );
  t.match(judge(99, "").message, "streambro logs radio");
});

t.test("nothing that a server or a log says is repeated, but for an encoder's line", async (t) => {
  for (const { row, status, sentMs = null, log } of WORDS) {
    if (row === "encoder") continue;
    const { message } = judge(status, log.replaceAll(": ", ": hunter2 "), sentMs);
    t.notMatch(message, "hunter2", row);
  }
});

t.test("what will heal is tried again, what cannot is not", async (t) => {
  const permanent = FAILURES.filter((row) => row.permanent).map(({ reason }) => reason);
  t.same([...new Set(permanent)].sort(), ["codec-unsupported", "option-unsupported"]);
});

t.test("an encoder's own words are told", async (t) => {
  const general =
    "Error initializing output stream 0:0 -- Error while opening encoder for output stream #0:0 - maybe incorrect parameters such as bit_rate, rate, width or height\nConversion failed!";
  t.equal(
    judge(1, `Press [q] to stop\n[h264_nvenc @ 0x55d5] Cannot load libcuda.so.1\n${general}`)
      .message,
    "the encoder could not be used: Cannot load libcuda.so.1. Which ones work here: streambro encoders --refresh",
  );
  t.match(judge(1, general).message, /^the encoder could not be used: Error initializing output/);
});

t.test("what the file says of itself, and what is long past, explains nothing", async (t) => {
  const lost =
    "av_interleaved_write_frame(): Broken pipe\nError writing trailer of rtmp://h.example/app: Broken pipe\n";
  const titles = [
    "Unknown encoder",
    "Out of memory",
    "Unauthorized",
    "Protocol not found",
    "Cannot find: Connection refused",
  ];
  for (const title of titles) {
    const dump = `Input #0, concat, from 'outer.ffconcat':\n  Stream #0:0: Video: h264\n    Metadata:\n      title           : ${title}\nPress [q] to stop, [?] for help\n`;
    t.match(
      judge(1, dump + lost),
      { reason: "network-lost", permanent: false },
      `a track named "${title}"`,
    );
  }
  const old = "[mov,mp4 @ 0x1] Invalid data found when processing input\n";
  const since =
    "[flv @ 0x2] Non-monotonous DTS in output stream 0:1; previous: 1, current: 0; changing to 1.\n".repeat(
      20,
    );
  t.match(judge(1, old + since + lost), { reason: "network-lost" }, "a complaint of long ago");
});

t.test("arbitrary logs are judged quickly and never throw", async (t) => {
  const began = performance.now();
  for (const log of [
    "encoder ".repeat(1_000),
    "option ".repeat(1_100),
    "item-0".repeat(1_300),
    "NetStream.".repeat(800),
    "\n".repeat(8_192),
    "\uFFFD".repeat(8_192),
  ]) {
    t.ok(judge(1, log).message !== "");
  }
  t.ok(performance.now() - began < 1_000);
});

const ffmpeg = async (args: readonly string[]): Promise<{ status: number; log: string }> => {
  const { code, stderr } = await command("ffmpeg", ["-hide_banner", "-nostats", ...args], {
    env: plainEnvironment(),
    timeoutMs: 20_000,
  });
  return { status: code ?? -1, log: stderr.slice(-8_192) };
};

t.test("the real FFmpeg's own words", async (t) => {
  const text = path.join(home, "text.mp4");
  writeFileSync(text, "hello\n");
  const list = path.join(home, "outer.ffconcat");
  writeFileSync(list, "ffconcat version 1.0\nfile item-0.mp4\n");
  // It takes the connection, reads a little, and is gone.
  const rude = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
  t.teardown(() => rude.close());
  const { port } = rude.address() as net.AddressInfo;
  const push = (url: string): string[] => [
    "-i",
    `${film}.mkv`,
    "-map",
    "0:v:0",
    "-map",
    "0:a:0?",
    "-c",
    "copy",
    "-f",
    "flv",
    url,
  ];
  type Row = readonly [string, readonly string[], readonly FailureReason[], boolean | null];
  const rows: readonly Row[] = [
    ["refused", push("rtmp://127.0.0.1:1/app"), ["connection-refused"], false],
    ["refused, TLS", push("rtmps://127.0.0.1:1/app"), ["connection-refused"], false],
    ["unknown host", push("rtmp://no-such-host.invalid/app"), ["dns"], false],
    ["hung up on", push(`rtmp://127.0.0.1:${port}/app`), ["network-lost"], false],
    [
      "input missing",
      ["-f", "concat", "-i", list, "-c", "copy", "-f", "null", "-"],
      ["input-missing"],
      false,
    ],
    ["text", ["-i", text, "-c", "copy", "-f", "null", "-"], ["input-corrupt"], false],
    [
      "opus",
      ["-i", opus, "-c", "copy", "-f", "flv", path.join(home, "o.flv")],
      ["codec-unsupported"],
      true,
    ],
    ["no encoder", ["-i", film, "-c:v", "nope", "-f", "null", "-"], ["codec-unsupported"], true],
    ...["h264_nvenc", "h264_qsv", "h264_v4l2m2m"].map((encoder): Row => [
      encoder,
      ["-i", film, "-c:v", encoder, "-f", "null", "-"],
      // Where a build lacks it altogether, or the machine has one, it says something else.
      ["encoder-failed", "codec-unsupported", "end-of-input"],
      null,
    ]),
    [
      "VAAPI without a device",
      [
        "-vaapi_device",
        path.join(home, "none"),
        "-i",
        film,
        "-c:v",
        "h264_vaapi",
        "-f",
        "null",
        "-",
      ],
      ["encoder-failed", "option-unsupported"],
      null,
    ],
    ["no such option", ["-nope", "1", "-i", film, "-f", "null", "-"], ["option-unsupported"], true],
    ["no such protocol", push("nope://h/app"), ["option-unsupported"], true],
    ["no video", ["-i", film, "-map", "0:v:7", "-f", "null", "-"], ["input-corrupt"], false],
    [
      "full, encoding",
      [
        "-stream_loop",
        "60",
        "-i",
        `${film}.mkv`,
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-f",
        "flv",
        "-y",
        "/dev/full",
      ],
      ["disk-full"],
      false,
    ],
    [
      "full",
      ["-stream_loop", "200", "-i", `${film}.mkv`, "-c", "copy", "-f", "flv", "-y", "/dev/full"],
      ["disk-full"],
      false,
    ],
  ];
  await Promise.all(
    rows.map(async ([what, args, reasons, permanent]) => {
      const { status, log } = await ffmpeg(args);
      const { reason, permanent: found } = judge(status, log);
      t.ok(reasons.includes(reason), `${what}: ${reason}`, { log: log.slice(-400) });
      if (permanent !== null) t.equal(found, permanent, what);
    }),
  );
});

t.test("of a secret nothing is repeated, and nothing of ours is taken for one", async (t) => {
  const log = "[h264_nvenc @ 0x1] Cannot load libcuda.so.1 for used-key\n";
  const about = { ...RADIO, secrets: ["used", "used-key"] };
  t.match(
    classify(exit(1), log, about, null).message,
    /^the encoder could not be used: Cannot load libcuda\.so\.1 for \*\*\*\*\. Which/,
    "the word in our own sentence stays",
  );
});
