import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import type { MediaInfo } from "../../daemon/media/media-info.ts";
import { type Lists, listsOf, timelineOf } from "../../daemon/media/playlist.ts";
import { position } from "../../daemon/media/position.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { keyframeAtOrBefore } from "../../daemon/media/keyframe.ts";
import type { Timeline } from "../../daemon/media/timeline.ts";
import { layOut, packetHashes, play, render } from "./relay.ts";

const MEDIA: MediaInfo = {
  container: "mpegts",
  durationMs: 10_000,
  startMs: 1_400,
  sizeBytes: 1,
  mtimeMs: 1,
  video: {
    index: 0,
    codec: "h264",
    width: 160,
    height: 120,
    frameMs: 40,
    reorderMs: 80,
    rotation: 0,
    interlaced: false,
    pixelAspect: 1,
    pixelFormat: "yuv420p",
  },
  audio: { index: 1, codec: "aac", frameMs: 20, sampleRate: 48_000, channels: 2 },
  longestTrackMs: 10_000,
  headMs: 0,
  leastPassMs: 10_000,
  shared: { fromMs: 0, toMs: 10_000 },
  skewMs: 0,
};

type Wanted = {
  linkName: string;
  media: MediaInfo;
  loop: boolean;
  resumeFrom: number;
  leadMs?: number;
  maxRunMs?: number;
};

const playlist = ({
  linkName,
  media,
  loop,
  resumeFrom,
  leadMs = 0,
  maxRunMs = 20 * 86_400_000,
}: Wanted): { files: Lists; timeline: Timeline } => {
  const timeline = timelineOf({ media, loop, landing: { fromMs: resumeFrom, leadMs }, maxRunMs });
  return { files: listsOf(linkName, media, timeline), timeline };
};

void t.test("a loop from the beginning is as many passes as one process may play", async (test) => {
  const wanted = { linkName: "item-0.ts", media: MEDIA, loop: true, resumeFrom: 0 };
  // 12,034 passes fit after the first.
  const { files, timeline } = playlist({ ...wanted, maxRunMs: 10_050 * 12_035 + 9_000 });
  test.equal(timeline.passes, 12_034);
  test.match(
    files["outer.ffconcat"],
    /^ffconcat version 1.0\nfile item-0.ts\noption format_whitelist mov,[a-z,]+\nduration 10.050000\nfile middle/,
  );
  test.equal(files["outer.ffconcat"].match(/^file middle\.ffconcat$/gm)?.length, 12);
  test.equal(files["outer.ffconcat"].match(/^file cycle\.ffconcat$/gm)?.length, 34);
  test.equal(playlist({ ...wanted, maxRunMs: 0 }).timeline.passes, 1, "never none: it is to loop");
  test.equal(files["middle.ffconcat"].match(/^file cycle\.ffconcat$/gm)?.length, 1000);
  test.match(
    files["cycle.ffconcat"],
    /^ffconcat version 1.0\nfile item-0.ts\noption format_whitelist mov,[a-z,]+\nduration 10.050000\n$/,
    "an item is no list",
  );
  test.equal(timeline.cycleMs, 10_050);
});

void t.test("a resumed loop plays what is left first, on the file's own clock", async (test) => {
  const wanted = { linkName: "item-0.ts", media: MEDIA, loop: true, resumeFrom: 4_000 };
  const { files, timeline } = playlist({ ...wanted, leadMs: -90 });
  test.match(
    files["outer.ffconcat"],
    /^ffconcat version 1.0\nfile item-0.ts\noption format_whitelist mov,[a-z,]+\ninpoint 5.400000\nduration 6.050000\nfile middle/,
  );
  test.match(timeline, { fromMs: 4_000, leadMs: -90, headMs: 0, firstMs: 6_050, cycleMs: 10_050 });
});

void t.test("without a loop there is one entry", async (test) => {
  for (const resumeFrom of [0, 4_000]) {
    const wanted = { linkName: "item-0.ts", media: MEDIA, loop: false, resumeFrom };
    const { files, timeline } = playlist(wanted);
    test.equal(files["outer.ffconcat"].match(/^file /gm)?.length, 1);
    test.equal(timeline.cycleMs, null);
  }
});

void t.test("positions", async (test) => {
  const fresh = { fromMs: 0, leadMs: 0, headMs: 0, firstMs: 10_050, cycleMs: 10_050, passes: 9 };
  const resumed = {
    fromMs: 4_000,
    leadMs: -100,
    headMs: 0,
    firstMs: 6_050,
    cycleMs: 10_050,
    passes: 9,
  };
  const once = { fromMs: 4_000, leadMs: 0, headMs: 0, firstMs: 6_050, cycleMs: null, passes: 9 };
  const cut = { fromMs: 0, leadMs: 0, headMs: -1_000, firstMs: 10_050, cycleMs: 10_050, passes: 9 };
  for (const [timeline, out, ms, cycle] of [
    [fresh, 0, 0, 0],
    [fresh, 10_049, 10_049, 0],
    [fresh, 10_050, 0, 1],
    [fresh, 20_200, 100, 2],
    [resumed, 50, 4_000, 0],
    [resumed, 1_100, 5_000, 0],
    [resumed, 6_149, 10_049, 0],
    [resumed, 6_150, 0, 1],
    [resumed, 16_250, 50, 2],
    [once, 9_000, 13_000, 0],
    [cut, 500, 0, 0],
    [cut, 1_500, 500, 0],
  ] as const)
    test.same(position(timeline, out), { ms, cycle }, `${out} from ${timeline.fromMs}`);
});

void t.test("FFmpeg plays the nested lists to their end, without stepping back", async (test) => {
  const folder = test.testdir();
  const film = await render(path.join(folder, "film.mp4"), {
    fps: "30000/1001",
    seconds: 4,
    sound: { rate: 48_000, seconds: 3.9 },
    options: ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30", "-c:a", "aac"],
  });
  const tools = { ffprobe: "ffprobe" };
  const probed = await probeInput(ownInput(film), tools);
  if (!probed.ok) throw new Error(probed.message);
  const { media } = probed;
  const whole = await packetHashes(film);
  const resumeFrom = await keyframeAtOrBefore(ownInput(film), 2_500, media, tools);
  test.equal(Math.round(resumeFrom), 2_002, "the keyframe at frame 60");
  for (const [name, loop] of [
    ["looped", true],
    ["once", false],
  ] as const) {
    const place = path.join(folder, name);
    const lists = playlist({ linkName: "item-0.mp4", media, loop, resumeFrom });
    layOut(place, film, lists.files);
    // As many passes as a test has time for: two lists of two, instead of a hundred of a thousand.
    const length = (lists.timeline.cycleMs ?? 0) / 1000;
    const middle = lists.files["middle.ffconcat"].split("\n").slice(0, 9);
    const outer = lists.files["outer.ffconcat"]
      .replaceAll(`duration ${(length * 1000).toFixed(6)}`, `duration ${(length * 2).toFixed(6)}`)
      .split("\n")
      .slice(0, loop ? 13 : 5);
    writeFileSync(path.join(place, "middle.ffconcat"), `${middle.join("\n")}\n`);
    writeFileSync(path.join(place, "outer.ffconcat"), `${outer.join("\n")}\n`);
    const ended = await play(place, [], Number.POSITIVE_INFINITY);
    test.equal(ended.code, 0, `${name}: the end is a good end`);
    test.equal(ended.log, "", `${name}: nothing to warn of`);
    const got = await packetHashes(ended.flv);
    const passes = loop ? 4 : 0;
    test.same(got.video, [
      ...whole.video.slice(60),
      ...Array.from({ length: passes }, () => whole.video).flat(),
    ]);
    test.same(
      got.audio.slice(-passes * whole.audio.length || undefined),
      loop ? Array.from({ length: passes }, () => whole.audio).flat() : got.audio,
    );
    const gaps = got.dtsMs.video.map((dts, index, all) => dts - (all[index - 1] ?? dts));
    test.ok(Math.max(...gaps) < 150, `${name}: seams of ${Math.max(...gaps)} ms`);
  }
});
