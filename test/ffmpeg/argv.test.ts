import t from "tap";
import { DEMUXERS } from "../../daemon/media/demuxers.ts";
import { parseDestination } from "../../daemon/destination/destination.ts";
import { encoderArguments } from "../../daemon/encoders/arguments.ts";
import type { EncoderChoice } from "../../daemon/encoders/choice.ts";
import type { TrackPlan } from "../../daemon/media/track-plan.ts";
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
      plan: { video: { action: "copy", index: 1 }, audio: { action: "copy", index: 3 } },
      encoder: null,
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

const FLAT = "/run/x/outer.ffconcat";
const lines = (plan: TrackPlan, encoder: EncoderChoice | null = null): string => {
  const output = { url: "rtmp://h/a", preset: null };
  const argv = ffmpegArgv({ ffmpeg: "/usr/bin/ffmpeg", playlist: FLAT, plan, encoder, output });
  t.match(DEMUXERS, /^[a-z0-9_,]+$/, "a whitelist of demuxers is one argument");
  return argv.join(" ").replace(DEMUXERS, "D");
};
const BEFORE =
  "/usr/bin/ffmpeg -hide_banner -nostats -progress pipe:3 -stats_period 0.5 -re " +
  "-protocol_whitelist file -format_whitelist concat,D -f concat -safe 0 -auto_convert 0";
const BEHIND = "-flvflags no_duration_filesize -rw_timeout 5000000 -f flv rtmp://h/a";
const SOUND = { sampleRate: 48_000, audioKbps: 160 } as const;
const PICTURE = {
  ...{ filters: ["setsar=1", "fps=25"], width: 640, height: 360 },
  ...{ fps: 25, videoKbps: 900 },
};

t.test("tracks that are encoded, silence, and none", async (t) => {
  const copied = { action: "copy", index: 0 } as const;
  t.equal(
    lines({ video: copied, audio: { action: "none" } }),
    `${BEFORE} -i ${FLAT} -map 0:0 -c copy ${BEHIND}`,
  );
  t.equal(
    lines({ video: copied, audio: { action: "encode", index: 2, sound: SOUND } }),
    `${BEFORE} -i ${FLAT} -map 0:0 -map 0:2 -c:v copy ` +
      "-af aresample=async=1:min_hard_comp=0.04:first_pts=0 -ar 48000 -ac 2 -c:a aac -b:a 160k " +
      BEHIND,
  );
  t.equal(
    lines({ video: copied, audio: { action: "silence", sound: SOUND } }),
    `${BEFORE} -i ${FLAT} -f lavfi -i anullsrc=r=48000:cl=stereo -map 0:0 -map 1:0 -c:v copy ` +
      `-c:a aac -b:a 160k -shortest ${BEHIND}`,
  );
  const x264 = { name: "libx264", kind: "software", device: null, preset: "veryfast" } as const;
  const encoded = lines(
    {
      video: { action: "encode", index: 0, picture: PICTURE },
      audio: { action: "copy", index: 1 },
    },
    x264,
  );
  const own = encoderArguments(x264, PICTURE);
  t.equal(
    encoded,
    `${BEFORE} -noautorotate -i ${FLAT} -map 0:0 -map 0:1 -vf setsar=1,fps=25,` +
      `${own.filters.join(",")} ${own.output.join(" ")} -c:a copy ${BEHIND}`,
  );
  t.match(encoded, /-c:v libx264 -preset veryfast .*-b:v 900k .*-g 50 /);
});

t.test("containers", async (t) => {
  t.same(["rtmp://h/a", "rtmps://h/a", "srt://h:1"].map(containerOf), ["flv", "flv", "mpegts"]);
});
