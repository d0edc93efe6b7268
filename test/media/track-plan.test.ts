import t from "tap";
import { type Encoding, type Mode, NO_ENCODING } from "../../shared/contract/spec.ts";
import type { OutputContainer } from "../../daemon/media/container.ts";
import { lagOf } from "../../daemon/media/lag.ts";
import type { MediaInfo } from "../../daemon/media/media-info.ts";
import { pictureOf } from "../../daemon/media/picture.ts";
import { planTracks } from "../../daemon/media/track-plan.ts";

const VIDEO: MediaInfo["video"] = {
  ...{ index: 0, codec: "h264", width: 1280, height: 720, frameMs: 40, reorderMs: 80 },
  ...{ rotation: 0, interlaced: false, pixelAspect: 1, pixelFormat: "yuv420p" },
};
const AUDIO: NonNullable<MediaInfo["audio"]> = {
  ...{ index: 1, codec: "aac", frameMs: 21, sampleRate: 48_000, channels: 2 },
};
type Facts = {
  readonly video?: Partial<MediaInfo["video"]>;
  readonly audio?: Partial<NonNullable<MediaInfo["audio"]>> | null;
  readonly container?: string;
};
const media = ({ video = {}, audio = {}, container = "matroska,webm" }: Facts): MediaInfo => ({
  container,
  ...{ durationMs: 1_000, startMs: 0, sizeBytes: 1, mtimeMs: 1 },
  video: { ...VIDEO, ...video },
  audio: audio === null ? null : { ...AUDIO, ...audio },
  ...{ longestTrackMs: 1_000, headMs: 0, leastPassMs: 1_000 },
  shared: { fromMs: 0, toMs: 1_000 },
  skewMs: 0,
});

const planned = (facts: Facts, mode: Mode, to: OutputContainer = "flv"): string => {
  const made = planTracks(media(facts), to, { mode, encoding: NO_ENCODING }, "film.mkv");
  return made.ok ? `${made.plan.video.action} ${made.plan.audio.action}` : made.message;
};

t.test("what becomes of each track", async (t) => {
  type Row = readonly [string, Facts, OutputContainer, auto: string, copy: string | RegExp];
  const rows: readonly Row[] = [
    ["H.264 and AAC", {}, "flv", "copy copy", "copy copy"],
    ["no sound", { audio: null }, "flv", "copy silence", "copy none"],
    ["Opus", { audio: { codec: "opus" } }, "flv", "copy encode", /^the sound of film.mkv is Opus/],
    ["Opus by SRT", { audio: { codec: "opus" } }, "mpegts", "copy copy", "copy copy"],
    ["HEVC", { video: { codec: "hevc" } }, "flv", "encode copy", /^the picture of .* is H.265/],
    ["HEVC by SRT", { video: { codec: "hevc" } }, "mpegts", "copy copy", "copy copy"],
    [
      "VP8 and Vorbis",
      { video: { codec: "vp8" }, audio: { codec: "vorbis" } },
      "flv",
      "encode encode",
      /VP8/,
    ],
    ["VP8 alone", { video: { codec: "vp8" }, audio: null }, "flv", "encode silence", /VP8/],
    ["5.1", { audio: { channels: 6 } }, "flv", "copy copy", "copy copy"],
    ["interlaced", { video: { interlaced: true } }, "flv", "copy copy", "copy copy"],
    ["portrait", { video: { width: 720, height: 1280 } }, "flv", "copy copy", "copy copy"],
    ["rotated", { video: { rotation: 90 } }, "flv", "encode copy", /turned by the player \(90°\)/],
    [
      "rotated, by SRT",
      { video: { rotation: 270 } },
      "mpegts",
      "encode copy",
      /MPEG-TS cannot say/,
    ],
    ["AVI with B-frames", { container: "avi" }, "flv", "encode copy", /AVI with B-frames/],
    ["a program stream", { container: "mpeg" }, "mpegts", "encode copy", /MPEG program stream/],
    ["AVI without", { container: "avi", video: { reorderMs: 0 } }, "flv", "copy copy", "copy copy"],
    [
      "MP3 at 32 kHz",
      { audio: { codec: "mp3", sampleRate: 32_000 } },
      "flv",
      "copy encode",
      /MP3 at 32000 Hz/,
    ],
    [
      "MPEG-4 Part 2 by SRT",
      { video: { codec: "mpeg4" } },
      "mpegts",
      "encode copy",
      /is MPEG-4 Part 2, which MPEG-TS cannot carry/,
    ],
    ...(
      [
        ["yuv444p", "4:4:4 colour"],
        ["yuvj422p", "4:2:2 colour"],
        ["yuv422p10le", "4:2:2 colour of 10 bits"],
        ["yuv420p10le", "10 bits"],
        ["gbrp", "RGB colour"],
        ["gray", "no colour"],
      ] as const
    ).map(([pixelFormat, words]): Row => [
      pixelFormat,
      { video: { pixelFormat } },
      "flv",
      "encode copy",
      new RegExp(`is H.264 with ${words}, which hardly any player shows. Leave out --mode copy`),
    ]),
    ["full range", { video: { pixelFormat: "yuvj420p" } }, "flv", "copy copy", "copy copy"],
    ["nobody had looked", { video: { pixelFormat: null } }, "flv", "copy copy", "copy copy"],
    ["4:4:4 by SRT", { video: { pixelFormat: "yuv444p" } }, "mpegts", "copy copy", "copy copy"],
    ["PCM by SRT", { audio: { codec: "pcm_s16le" } }, "mpegts", "copy encode", /PCM/],
    [
      "nobody had looked how it is turned",
      { video: { rotation: null } },
      "flv",
      "copy copy",
      "copy copy",
    ],
  ];
  for (const [what, facts, to, auto, copy] of rows) {
    t.equal(planned(facts, "auto", to), auto, what);
    t.match(planned(facts, "copy", to), copy, `${what}, copied`);
    const all = facts.audio === null ? "encode silence" : "encode encode";
    t.equal(planned(facts, "encode", to), all, `${what}, encoded`);
  }
});

t.test("what a refusal advises", async (t) => {
  t.equal(
    planned({ audio: { codec: "opus" } }, "copy"),
    "the sound of film.mkv is Opus, which FLV cannot carry. Leave out --mode copy " +
      "(only the sound is then encoded), or convert it once: " +
      "ffmpeg -i INPUT -c:v copy -c:a aac -ar 48000 OUTPUT.mp4",
  );
  t.match(
    planned({ video: { codec: "vp9" }, audio: { codec: "opus" } }, "copy"),
    /VP9, .*\(the picture and the sound are then encoded\).*-c:v libx264 .*-c:a aac/,
  );
  t.match(
    planned({ video: { codec: "vp9" } }, "copy"),
    /\(the picture is then encoded\).*-c:a copy/,
  );
});

t.test("rates and sizes that nobody chose", async (t) => {
  const rows: readonly [Partial<MediaInfo["video"]>, string][] = [
    [{}, "1280x720 25 2500k"],
    [{ width: 1920, height: 1080, frameMs: 1001 / 30 }, "1920x1080 29.97 4500k"],
    [{ width: 1920, height: 1080, frameMs: 1000 / 60 }, "1920x1080 60 6750k"],
    [{ width: 3840, height: 2160, frameMs: 1000 / 120 }, "1920x1080 60 6750k"],
    [{ width: 3840, height: 1600 }, "1920x800 25 3600k"],
    [{ width: 2160, height: 3840 }, "1080x1920 25 4500k"],
    [{ width: 3840, height: 2160, rotation: 90 }, "1080x1920 25 4500k"],
    [{ width: 3001, height: 3001 }, "1080x1080 25 2950k"],
    [{ width: 1440, height: 1080, pixelAspect: 4 / 3 }, "1920x1080 25 4500k"],
    [{ width: 64, height: 36 }, "64x36 25 300k"],
    [{ width: 321, height: 181 }, "320x180 25 350k"],
    [{ width: 1280, height: 720, rotation: 90 }, "720x1280 25 2500k"],
    [{ width: 720, height: 576, pixelAspect: 16 / 11 }, "1046x576 25 1850k"],
    [{ frameMs: 1001 / 24 }, "1280x720 23.98 2500k"],
    [{ frameMs: 1000 / 29.83 }, "1280x720 29.97 2500k"],
    [{ frameMs: 1000 / 27.3 }, "1280x720 29.97 2500k"],
    [{ frameMs: 1000 / 120 }, "1280x720 60 3750k"],
    [{ frameMs: 1000 / 144 }, "1280x720 60 3750k"],
    [{ frameMs: 1000 }, "1280x720 10 2500k"],
  ];
  for (const [video, expected] of rows) {
    const { width, height, fps, videoKbps } = pictureOf({ ...VIDEO, ...video }, NO_ENCODING);
    const found = `${width}x${height} ${Math.round(fps * 100) / 100} ${videoKbps}k`;
    t.equal(found, expected, JSON.stringify(video));
  }
});

t.test("filters", async (t) => {
  const rows: readonly [Partial<MediaInfo["video"]>, Partial<Encoding>, string][] = [
    [{}, {}, "setsar=1,fps=25"],
    [{ interlaced: true }, {}, "yadif=deint=interlaced,setsar=1,fps=25"],
    [{ rotation: 90 }, {}, "transpose=clock,setsar=1,fps=25"],
    [{ rotation: 180 }, {}, "hflip,vflip,setsar=1,fps=25"],
    [{ rotation: 270 }, {}, "transpose=cclock,setsar=1,fps=25"],
    [{ width: 321 }, {}, "crop=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1,fps=25"],
    [{ width: 4096, height: 2160 }, {}, "scale=1920:1012,setsar=1,fps=25"],
    [
      { width: 3841, height: 2160, rotation: 90 },
      {},
      "transpose=clock,scale=1080:1920,setsar=1,fps=25",
    ],
    [
      { width: 3840, height: 2160 },
      { width: 3840, height: 2160 },
      "scale=3840:2160:force_original_aspect_ratio=decrease:force_divisible_by=2," +
        "pad=3840:2160:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=25",
    ],
    [{ pixelAspect: 1.5 }, {}, "scale=trunc(iw*sar/2)*2:ih,setsar=1,fps=25"],
    [{}, { fps: 29.97 }, "setsar=1,fps=30000/1001"],
    [{}, { fps: 12.5 }, "setsar=1,fps=12.5"],
    [
      { width: 321, rotation: 90 },
      { width: 640, height: 360, fps: 30 },
      "transpose=clock,scale=640:360:force_original_aspect_ratio=decrease:force_divisible_by=2," +
        "pad=640:360:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=30",
    ],
  ];
  for (const [video, encoding, expected] of rows) {
    const made = pictureOf({ ...VIDEO, ...video }, { ...NO_ENCODING, ...encoding });
    t.equal(made.filters.join(","), expected);
  }
});

t.test("sound", async (t) => {
  const rows: readonly [Facts["audio"], number | null, sampleRate: number, kbps: number][] = [
    [{}, null, 48_000, 160],
    [{ sampleRate: 44_100 }, null, 44_100, 160],
    [{ sampleRate: 22_050, channels: 1 }, null, 48_000, 128],
    [{ sampleRate: 96_000, channels: 6 }, null, 48_000, 160],
    [{}, 96, 48_000, 96],
    [null, null, 48_000, 128],
  ];
  for (const [audio, audioKbps, sampleRate, kbps] of rows) {
    const wish = { mode: "encode", encoding: { ...NO_ENCODING, audioKbps } } as const;
    const made = planTracks(media({ audio: audio ?? null }), "flv", wish);
    t.match(made, { plan: { audio: { sound: { sampleRate, audioKbps: kbps } } } });
  }
});

t.test("how far a run may have been behind its own word", async (t) => {
  const lag = (facts: Facts, mode: Mode, preset: string | null = null): number => {
    const made = planTracks(media(facts), "flv", { mode, encoding: NO_ENCODING });
    if (!made.ok) throw new Error(made.message);
    const encoder = { name: "libx264", kind: "software", device: null, preset } as const;
    return lagOf(made.plan, made.plan.video.action === "copy" ? null : encoder, 2);
  };
  t.equal(lag({}, "auto"), 0, "a copy goes on exactly where it was");
  t.equal(lag({ audio: null }, "copy"), 0);
  t.equal(lag({ audio: null }, "auto"), 1_000);
  t.equal(lag({ audio: { codec: "opus" } }, "auto"), 1_000);
  t.equal(lag({}, "encode", "veryfast"), 1_000 + 21 * 40);
  t.equal(lag({}, "encode", "unheard-of"), 1_000 + 71 * 40);
});
