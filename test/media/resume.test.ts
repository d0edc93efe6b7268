import { existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import type { Test } from "tap";
import { BEGINNING } from "../../daemon/media/landing.ts";
import type { Landing } from "../../daemon/media/landing.ts";
import { listsOf, timelineOf } from "../../daemon/media/playlist.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { resumeAfter } from "../../daemon/media/resume.ts";
import { layOut, packetHashes, play, render, seeded } from "./relay.ts";
import type { Hashes, Track } from "./relay.ts";

const tools = { ffprobe: "ffprobe" };
const GIVEN = path.resolve(import.meta.dirname, "../../../shared/media/film.mp4");
const X264 = ["-c:v", "libx264", "-preset", "ultrafast"];
const RUNS = 6;

t.jobs = 4;

/**
 * Where in the endlessly looped `source` the packets of a run lie: the latest place that is not after
 * `next`, the packet that the run before would have delivered next. Null: something was skipped.
 */
const placeIn = (
  source: readonly string[],
  run: readonly string[],
  next: number,
): number | null => {
  const at = (place: number): string | undefined => source.at(place % source.length);
  for (let from = next; from >= Math.max(0, next - 2 * source.length); from--)
    if (run.every((hash, index) => hash === at(from + index))) return from;
  return null;
};

/** Kills FFmpeg again and again, and follows what a receiver gets. */
const hunt = async (
  test: Test,
  input: string,
  how: {
    readonly folder: string;
    readonly pace: readonly string[];
    readonly furthest: number;
    readonly seed: number;
    readonly exact: boolean;
  },
): Promise<void> => {
  const probed = await probeInput(ownInput(input), tools);
  if (!probed.ok) throw new Error(probed.message);
  const { media } = probed;
  const folder = path.join(how.folder, "runs");
  mkdirSync(folder);
  const whole = path.join(folder, "whole.flv");
  const copy = ["-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", whole];
  await execa("ffmpeg", ["-v", "error", "-i", input, ...copy], { stdin: "ignore" });
  const source = await packetHashes(whole);
  // MPEG-TS holds the same pictures in another form; there one uninterrupted run is the source.
  if (how.exact) {
    const own = await packetHashes(input);
    test.same([source.video, source.audio], [own.video, own.audio], "FLV holds the file's packets");
  }
  const random = seeded(how.seed);
  const next: Record<Track, number> = { video: 0, audio: 0 };
  let from: Landing = BEGINNING;
  for (let run = 0; run < RUNS; run++) {
    const timeline = timelineOf({ media, loop: true, landing: from, maxRunMs: 86_400_000 });
    const lists = listsOf(`item-0${path.extname(input)}`, media, timeline);
    const place = path.join(folder, `run-${run}`);
    layOut(place, input, lists);
    const ended = await play(
      place,
      how.pace,
      statSync(whole).size * (0.05 + random() * how.furthest),
    );
    const got = await packetHashes(ended.flv);
    for (const track of ["video", "audio"] as const) {
      if (source[track].length === 0) continue;
      const found = placeIn(source[track], got[track], next[track]);
      const told = `run ${run} from ${from.fromMs} ms: ${track} follows with nothing left out`;
      test.ok(found !== null && found >= 0, told);
      test.ok(steady(got, track), `run ${run}: ${track} never steps back in time`);
      next[track] = (found ?? next[track]) + got[track].length;
    }
    from = await resumeAfter(
      { input: ownInput(input), media, timeline, outTimeMs: ended.outTimeMs },
      tools,
    );
  }
};

// Matroska keeps no decoding times: FFmpeg guesses the first ones, and may give two the same.
const steady = (got: Hashes, track: Track): boolean =>
  got.dtsMs[track].every((dts, index, all) => index === 0 || dts >= (all[index - 1] ?? dts));

const FAST = { pace: ["-readrate", "5"], furthest: 1 };

const noGiven = existsSync(GIVEN) ? false : "no film is provided beside the checkout";

void t.test("the given film, in real time", { skip: noGiven }, (test) =>
  hunt(test, GIVEN, { folder: test.testdir(), pace: ["-re"], furthest: 0.5, seed: 3, exact: true }),
);

void t.test("the given film, over many passes", { skip: noGiven }, (test) =>
  hunt(test, GIVEN, { folder: test.testdir(), ...FAST, seed: 5, exact: true }),
);

void t.test("23.976 frames a second, B-frames, sound longer than the picture", async (test) => {
  const folder = test.testdir();
  const options = [...X264, "-bf", "3", "-g", "48", "-c:a", "aac"];
  const sound = { rate: 44_100, seconds: 8.5 };
  const film = { fps: "24000/1001", seconds: 8, sound, options };
  const file = await render(path.join(folder, "film.mp4"), film);
  await hunt(test, file, { folder, ...FAST, seed: 7, exact: true });
});

void t.test("no sound", async (test) => {
  const folder = test.testdir();
  const options = [...X264, "-bf", "2", "-g", "50"];
  const film = { fps: "25", seconds: 8, sound: null, options };
  const file = await render(path.join(folder, "film.mp4"), film);
  await hunt(test, file, { folder, ...FAST, seed: 11, exact: true });
});

void t.test("sound shorter than the picture, open groups, Matroska", async (test) => {
  const folder = test.testdir();
  const options = [...X264, "-x264-params", "open-gop=1:keyint=40:bframes=3", "-c:a", "aac"];
  const film = { fps: "50", seconds: 8, sound: { rate: 48_000, seconds: 7 }, options };
  const file = await render(path.join(folder, "film.mkv"), film);
  await hunt(test, file, { folder, ...FAST, seed: 13, exact: true });
});

void t.test("MPEG-TS, which starts at 1.4 s and is sought by decoding time", async (test) => {
  const folder = test.testdir();
  const options = [...X264, "-bf", "2", "-g", "50", "-c:a", "aac"];
  const film = { fps: "25", seconds: 8, sound: { rate: 48_000, seconds: 8 }, options };
  const file = await render(path.join(folder, "film.ts"), film);
  await hunt(test, file, { folder, ...FAST, seed: 17, exact: false });
});
