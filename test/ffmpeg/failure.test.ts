import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { FAILURE_REASONS, type FailureReason } from "../../shared/states.ts";
import { classify, exitOf } from "../../daemon/ffmpeg/failure.ts";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

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

const judge = (
  status: number | null,
  log: string,
): { reason: FailureReason; permanent: boolean; message: string } =>
  classify(status === null ? { code: null, signal: null } : exitOf(status), log, "h.example");

t.test("typical last lines", async (t) => {
  const rows: readonly [number | null, string, FailureReason, boolean][] = [
    [1, "rtmp://h/app: Connection refused", "connection-refused", false],
    [145, "rtmp://h/app: Connection refused", "connection-refused", false],
    [
      1,
      "[tcp] Failed to resolve hostname h: Name or service not known\nrtmp://h/app: Input/output error",
      "dns",
      false,
    ],
    [1, "[tcp] Failed to resolve hostname h: Temporary failure in name resolution\n", "dns", false],
    [1, "rtmp://h/app: Input/output error", "auth-or-path-rejected", false],
    [1, "[rtmp] Server error: NetStream.Publish.BadName", "auth-or-path-rejected", false],
    [
      1,
      "[rtmp] Server error: Already publishing\nrtmp://h/app: Operation not permitted",
      "already-publishing",
      false,
    ],
    [1, "av_interleaved_write_frame(): Broken pipe", "network-lost", false],
    [224, "Error writing trailer of rtmp://h/app: Broken pipe", "network-lost", false],
    [1, "av_interleaved_write_frame(): Connection reset by peer", "network-lost", false],
    [
      1,
      "Error while decoding stream #0:1: Invalid data found when processing input\nav_interleaved_write_frame(): Broken pipe\nError while decoding stream #0:1: Invalid data found when processing input\nError writing trailer of rtmp://h/app: Broken pipe\nConversion failed!",
      "network-lost",
      false,
    ],
    [
      1,
      `av_interleaved_write_frame(): Connection reset by peer\n${"Error while decoding stream #0:0: Invalid data found when processing input\n".repeat(20)}`,
      "network-lost",
      false,
    ],
    [
      224,
      "[dec:aac @ 0x1] Error submitting packet to decoder: Invalid data found when processing input\n[out#0/flv @ 0x2] Error muxing a packet\n[out#0/flv @ 0x2] Error writing trailer: Broken pipe",
      "network-lost",
      false,
    ],
    [
      1,
      "item-0.mkv: Invalid data found when processing input\nav_interleaved_write_frame(): Broken pipe",
      "network-lost",
      false,
    ],
    [
      1,
      "av_interleaved_write_frame(): Invalid data found when processing input\nError writing trailer of rtmp://h/app: Invalid data found when processing input",
      "input-corrupt",
      false,
    ],
    [
      1,
      "rtmp://h/app: End of file\nx: Invalid data found when processing input",
      "input-corrupt",
      false,
    ],
    [146, "rtmp://h/app: Connection timed out", "timed-out", false],
    [1, "rtmp://h/app: No route to host", "timed-out", false],
    [
      143,
      "[tcp] Connection to tcp://h:1935 failed: No route to host\nrtmp://h/app: No route to host",
      "timed-out",
      false,
    ],
    [
      1,
      "[concat] Impossible to open 'item-0.mp4'\n/run/x/outer.ffconcat: No such file or directory",
      "input-missing",
      false,
    ],
    [254, "item-0.mp4: No such file or directory", "input-missing", false],
    [
      1,
      "[mov] moov atom not found\nx: Invalid data found when processing input",
      "input-corrupt",
      false,
    ],
    [183, "x: Invalid data found when processing input", "input-corrupt", false],
    [1, "[flv] Audio codec opus not compatible with flv", "codec-unsupported", true],
    [8, "Unknown encoder 'libx265'", "codec-unsupported", true],
    [
      1,
      "Unrecognized option 'x'.\nError splitting the argument list: Option not found",
      "option-unsupported",
      true,
    ],
    [
      1,
      "p.ffpreset: Invalid option or argument: 'nosuch=1\n', parsed as 'nosuch' = '1'",
      "option-unsupported",
      true,
    ],
    [1, "srt://h:1: Protocol not found", "option-unsupported", true],
    [1, "av_interleaved_write_frame(): No space left on device", "disk-full", false],
    [1, "x: Cannot allocate memory", "out-of-memory", false],
    [
      1,
      "[h264_nvenc @ 0x1] OpenEncodeSessionEx failed: out of memory (10): (no details)\n[h264_nvenc @ 0x1] No capable devices found\nConversion failed!",
      "encoder-failed",
      false,
    ],
    [
      218,
      "[vost#0:0/h264_nvenc @ 0x1] Error while opening encoder - maybe incorrect parameters such as bit_rate, rate, width or height.",
      "encoder-failed",
      false,
    ],
    [
      1,
      "[h264_vaapi @ 0x1] Failed to upload encode parameters: 18 (invalid parameter).\nVideo encoding failed",
      "encoder-failed",
      false,
    ],
    [0, "whatever: Connection refused", "end-of-input", false],
    [255, "Exiting normally, received signal 15.", "killed", false],
    [137, "x: Connection refused", "killed", false],
    [143, "", "killed", false],
    [139, "x: Connection refused", "crashed", false],
    [134, "", "crashed", false],
    [null, "", "unknown", false],
    [null, "x: Connection refused", "connection-refused", false],
    [126, "", "spawn-failed", false],
    [127, "", "spawn-failed", false],
    [1, "", "unknown", false],
    [99, "something new", "unknown", false],
  ];
  for (const [status, log, reason, permanent] of rows) {
    t.match(
      judge(status, log),
      { reason, permanent, message: /^(?!.*HOST)\S.{5,}/ },
      `${status} ${log}`.slice(0, 80),
    );
  }
  for (const [, log, reason] of rows) t.ok(FAILURE_REASONS.includes(reason), log.slice(0, 30));
});

t.test("an encoder's own words are told", async (t) => {
  const general =
    "Error initializing output stream 0:0 -- Error while opening encoder for output stream #0:0 - maybe incorrect parameters such as bit_rate, rate, width or height\nConversion failed!";
  t.equal(
    judge(1, `Press [q] to stop\n[h264_nvenc @ 0x55d5] Cannot load libcuda.so.1\n${general}`)
      .message,
    "the encoder could not be used: Cannot load libcuda.so.1",
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
    [
      "hung up on",
      push(`rtmp://127.0.0.1:${port}/app`),
      ["network-lost", "auth-or-path-rejected"],
      false,
    ],
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
