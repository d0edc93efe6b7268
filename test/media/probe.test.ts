import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import { keyframeAtOrBefore } from "../../daemon/media/keyframe.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { render } from "./relay.ts";

const tools = { ffprobe: "ffprobe" };
const folder = t.testdir();
const at = (name: string): string => path.join(folder, name);
const OPTIONS = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "50", "-c:a", "aac"];
const film = await render(at("film.mp4"), {
  fps: "25",
  seconds: 8,
  sound: { rate: 48_000, seconds: 8.5 },
  options: OPTIONS,
});
const ffmpeg = async (argv: readonly string[]): Promise<void> => {
  await execa("ffmpeg", ["-v", "error", "-y"].concat(argv), { stdin: "ignore" });
};

void t.test("what is played of a film", async (test) => {
  const probed = await probeInput(ownInput(film), tools);
  if (!probed.ok) throw new Error(probed.message);
  const { media } = probed;
  test.match(media, { startMs: 0, video: { codec: "h264", frameMs: 40, width: 160, height: 120 } });
  test.match(media, { audio: { codec: "aac", sampleRate: 48_000 } });
  test.equal(Math.round(media.longestTrackMs), 8_500);
  // The encoder's delay, which players leave out.
  test.ok(media.headMs <= 0 && media.headMs > -30, `begins at ${media.headMs} ms`);
  test.equal(Math.round(media.shared.toMs), 8_000);
  test.ok(media.video.reorderMs >= 80 && media.video.reorderMs <= 200, "B-frames");
});

void t.test("what the tracks are like", async (test) => {
  const picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1"];
  const sound = ["-f", "lavfi", "-i", "sine=r=48000:d=1"];
  const x264 = OPTIONS.slice(0, 4);
  const facts = async (name: string, argv: readonly string[]): Promise<object> => {
    await ffmpeg([...argv, at(name)]);
    const probed = await probeInput(ownInput(at(name)), tools);
    return probed.ok ? { ...probed.media } : probed;
  };
  const plain = await facts("plain.mp4", [...picture, ...x264]);
  test.match(plain, { video: { rotation: 0, interlaced: false, pixelAspect: 1 }, audio: null });
  test.match(plain, { video: { pixelFormat: "yuv420p" } });
  const full = await facts("full.mp4", [...picture, ...x264, "-pix_fmt", "yuv444p10le"]);
  test.match(full, { video: { pixelFormat: "yuv444p10le" } });
  const tag = ["-i", at("plain.mp4"), "-c", "copy", "-metadata:s:v:0"];
  // FFmpeg writes the tag's degrees as anticlockwise ones.
  test.match(await facts("left.mp4", [...tag, "rotate=90"]), { video: { rotation: 270 } });
  test.match(await facts("head.mp4", [...tag, "rotate=180"]), { video: { rotation: 180 } });
  const fields = [...picture, ...x264, "-flags", "+ilme+ildct"];
  test.match(await facts("fields.mp4", fields), { video: { interlaced: true } });
  const wide = [...picture, "-vf", "setsar=16/11", ...x264];
  test.match(await facts("wide.mp4", wide), { video: { pixelAspect: 16 / 11 } });
  const second = "-map 0 -map 1 -map 1 -disposition:a:0 0 -disposition:a:1 default".split(" ");
  const chosen = await facts("two.mkv", [...picture, ...sound, ...second, ...OPTIONS]);
  test.match(chosen, { audio: { index: 2 } }, "the sound that players choose");
  for (const name of ["nothing.mp4", "nothing.mkv"]) {
    const nothing = [...picture, ...sound, ...OPTIONS, "-af", "atrim=start=5"];
    test.match(await facts(name, nothing), { audio: null }, `${name}: a track that holds nothing`);
  }
});

void t.test("only the first picture and the first sound count", async (test) => {
  const cover = at("cover.png");
  await ffmpeg(["-f", "lavfi", "-i", "color=s=32x32", "-frames:v", "1", cover]);
  const long = ["-f", "lavfi", "-i", "sine=d=20"];
  const maps = ["-map", "0:v", "-map", "0:a", "-map", "1:a", "-map", "2:v", "-c", "copy", "-c:a:1"];
  const rest = ["aac", "-disposition:v:1", "attached_pic", at("extra.mp4")];
  await ffmpeg(["-i", film].concat(long, ["-i", cover], maps, rest));
  const probed = await probeInput(ownInput(at("extra.mp4")), tools);
  if (!probed.ok) throw new Error(probed.message);
  test.equal(Math.round(probed.media.longestTrackMs), 8_500);
  test.equal(probed.media.video.codec, "h264");
  await ffmpeg(
    ["-f", "lavfi", "-i", "sine=d=1", "-i", cover].concat("-map 0 -map 1".split(" "), [
      ..."-c:v copy -disposition:v:0 attached_pic".split(" "),
      at("song.mp4"),
    ]),
  );
  test.match(await probeInput(ownInput(at("song.mp4")), tools), {
    ok: false,
    message: /no picture/,
  });
});

void t.test("names that upset command lines", async (test) => {
  mkdirSync(at("odd"));
  for (const name of [
    "-i.mp4",
    "a:b.mp4",
    "50%d.mp4",
    'it\'s "x".mp4',
    "two\nlines.mp4",
    "concat:x",
  ]) {
    copyFileSync(film, at(`odd/${name}`));
    test.match(
      await probeInput(ownInput(at(`odd/${name}`)), tools),
      { ok: true },
      JSON.stringify(name),
    );
  }
});

void t.test("what is no film is refused with a sentence", async (test) => {
  writeFileSync(at("text.mp4"), "Just words.\n".repeat(500));
  writeFileSync(at("list.mp4"), "ffconcat version 1.0\nfile film.mp4\n");
  writeFileSync(
    at("live.mp4"),
    "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nfilm.mp4\n#EXT-X-ENDLIST\n",
  );
  writeFileSync(at("titles.mp4"), "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n".repeat(20));
  writeFileSync(at("empty.mp4"), "");
  writeFileSync(at("noise.mp4"), Buffer.alloc(50_000, "\u0001\u0093x"));
  writeFileSync(at("cut.mp4"), readFileSync(film).subarray(0, 30_000));
  const long = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=30", "-movflags", "+faststart"];
  await ffmpeg([...long, at("whole.mp4")]);
  const whole = readFileSync(at("whole.mp4"));
  writeFileSync(at("half.mp4"), whole.subarray(0, whole.length / 2));
  await ffmpeg(["-f", "lavfi", "-i", "testsrc2", "-frames:v", "1", at("still.png")]);
  await ffmpeg(["-f", "lavfi", "-i", "testsrc2", "-frames:v", "1", at("still.jpg")]);
  await ffmpeg(["-f", "lavfi", "-i", "testsrc2=r=25", "-frames:v", "1", at("one.mp4")]);
  await ffmpeg(["-f", "lavfi", "-i", "sine=d=1", at("sound.mp4")]);
  execFileSync("mkfifo", [at("pipe.mp4")]);
  for (const [name, reason, sentence] of [
    ["gone.mp4", "input-missing", /^gone.mp4 does not exist\. \w/],
    ["gone/\u001b[31mred\n.mp4", "input-missing", /does not exist/],
    ["empty.mp4/x.mp4", "input-missing", /does not exist/],
    [".", "input-corrupt", /is a directory\. \w/],
    ["pipe.mp4", "input-corrupt", /is a pipe or a device/],
    ["empty.mp4", "input-corrupt", /is empty\. \w/],
    ["text.mp4", "input-corrupt", /is not a film|not media/],
    ["titles.mp4", "input-corrupt", /is not a film/],
    ["list.mp4", "input-corrupt", /is not a film/],
    ["live.mp4", "input-corrupt", /is not a film/],
    ["still.png", "input-corrupt", /is not a film/],
    ["still.jpg", "input-corrupt", /is not a film/],
    ["noise.mp4", "input-corrupt", /not media|not a film/],
    ["cut.mp4", "input-corrupt", /moov atom not found/],
    ["half.mp4", "input-corrupt", /is incomplete: it ends long before/],
    ["one.mp4", "input-corrupt", /has no length/],
    ["sound.mp4", "input-corrupt", /has no picture/],
  ] as const) {
    const probed = await probeInput(ownInput(at(name)), tools);
    test.match(probed, { ok: false, reason, message: sentence }, JSON.stringify(name));
    if (!probed.ok) test.notMatch(probed.message, /[\p{Cc}]/u);
  }
  const device = await probeInput(ownInput("/dev/zero"), tools);
  test.match(device, { ok: false, message: /is a pipe or a device/ });
  const missing = await probeInput(ownInput(film), { ffprobe: at("no-ffprobe") });
  test.match(missing, { ok: false, reason: "spawn-failed" });
});

void t.test("the last keyframe at or before a time, in every container", async (test) => {
  for (const name of ["film.mp4", "film.mov", "film.mkv", "film.ts", "film.flv"]) {
    if (name !== "film.mp4") await ffmpeg(["-i", film, "-c", "copy", at(name)]);
    const probed = await probeInput(ownInput(at(name)), tools);
    if (!probed.ok) throw new Error(probed.message);
    const { media } = probed;
    const ask = ["-v", "error", "-select_streams", "v:0", "-of", "csv=p=0", "-show_entries"];
    const { stdout } = await execa("ffprobe", ask.concat("packet=pts_time,flags", at(name)));
    const keys = stdout
      .split("\n")
      .filter((line) => line.includes(",K"))
      .map((line) => Number(line.split(",")[0]) * 1000 - media.startMs);
    test.equal(keys.length, 4, `${name} has four keyframes`);
    for (const [index, key] of keys.entries()) {
      if (index === 0) continue;
      for (const [ms, expected] of [
        [key - 1, keys[index - 1] ?? 0],
        [key + 0.01, key],
        [key + 1_900, key],
      ] as const) {
        const found = await keyframeAtOrBefore(ownInput(at(name)), ms, media, tools);
        // MPEG-TS is sought by decoding time, which is earlier by the reordering.
        const near = found <= expected && found >= expected - media.video.reorderMs;
        test.ok(near || (found === 0 && expected < 200), `${name} at ${ms}: ${found}, ${expected}`);
      }
    }
  }
});
