import t from "tap";
import { DEMUXERS } from "../../daemon/media/demuxers.ts";
import { parseDestination } from "../../daemon/destination/destination.ts";
import { containerOf, ffmpegArgv, presetText } from "../../daemon/ffmpeg/argv.ts";

const KEY = "k3y-9f2c-d41d";
const START = [
  "/usr/bin/ffmpeg",
  "-hide_banner",
  "-nostats",
  "-progress",
  "pipe:3",
  "-stats_period",
  "0.5",
  "-re",
  "-protocol_whitelist",
  "file",
  "-format_whitelist",
  `concat,${DEMUXERS}`,
  "-f",
  "concat",
  "-safe",
  "0",
  "-auto_convert",
  "0",
  "-i",
  "/run/x/outer.ffconcat",
];
const FLV = ["-flvflags", "no_duration_filesize", "-rw_timeout", "5000000", "-f", "flv"];
const PRESET = ["-fpre", "/run/x/output-0.ffpreset"];

t.test("exact command lines, and no secret in any", async (t) => {
  const rows: readonly [string, string | undefined, readonly string[], string][] = [
    ["rtmp://h:1935/live", undefined, [...FLV, "rtmp://h:1935/live"], ""],
    [
      `rtmp://h/live/${KEY}`,
      undefined,
      [...FLV, ...PRESET, "rtmp://h/live"],
      `rtmp_playpath=${KEY}\n`,
    ],
    [
      "rtmps://h/a/b",
      KEY,
      [...FLV, ...PRESET, "rtmps://h/a/b"],
      `rtmp_playpath=${KEY}\nrtmp_app=a/b\n`,
    ],
    [
      `rtmp://h/live?t=${KEY}`,
      "x",
      [...FLV, ...PRESET, "rtmp://h/live"],
      `rtmp_playpath=x\nrtmp_app=live?t=${KEY}\n`,
    ],
    [
      "srt://h:9000?latency=200",
      KEY,
      ["-f", "mpegts", ...PRESET, "srt://h:9000?latency=200"],
      `passphrase=${KEY}\n`,
    ],
    [
      `srt://h:9000?streamid=${KEY}`,
      undefined,
      ["-f", "mpegts", ...PRESET, "srt://h:9000"],
      `streamid=${KEY}\n`,
    ],
    ["srt://h:9000", undefined, ["-f", "mpegts", "srt://h:9000"], ""],
  ];
  for (const [to, key, end, preset] of rows) {
    const parsed = parseDestination(to, key);
    if (!parsed.ok) throw new Error(parsed.message);
    const { url, secrets } = parsed.destination;
    const argv = ffmpegArgv({
      ffmpeg: "/usr/bin/ffmpeg",
      playlist: "/run/x/outer.ffconcat",
      tracks: [1, 3],
      output: { url, preset: preset === "" ? null : "/run/x/output-0.ffpreset" },
    });
    t.same(argv.slice(0, START.length), START, to);
    const map = argv.slice(START.length, argv.length - end.length);
    t.same(map, ["-map", "0:1", "-map", "0:3", "-c", "copy"]);
    t.same(argv.slice(-end.length), end);
    t.notOk(
      argv.some((one) => one.includes(KEY)),
      "no secret",
    );
    t.notOk(argv.includes("-nostdin"), "which would make 7.x deaf to SIGTERM");
    t.same(presetText(secrets).split("\n").sort(), preset.split("\n").sort());
  }
});

t.test(
  "a whitelist of demuxers is one argument, and a film without sound has one map",
  async (t) => {
    const argv = ffmpegArgv({
      ffmpeg: "f",
      playlist: "p",
      tracks: [0],
      output: { url: "rtmp://h/a", preset: null },
    });
    t.equal(argv.filter((one) => one === "-map").length, 1);
    t.match(DEMUXERS, /^[a-z0-9_,]+$/);
  },
);

t.test("containers", async (t) => {
  t.same(["rtmp://h/a", "rtmps://h/a", "srt://h:1"].map(containerOf), ["flv", "flv", "mpegts"]);
});
