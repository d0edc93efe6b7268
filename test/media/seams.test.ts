import { spawn } from "node:child_process";
import path from "node:path";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import { type Mode, NO_ENCODING } from "../../shared/contract/spec.ts";
import { ffmpegArgv } from "../../daemon/ffmpeg/argv.ts";
import type { EncoderChoice } from "../../daemon/encoders/choice.ts";
import { BEGINNING } from "../../daemon/media/landing.ts";
import { listsOf, timelineOf } from "../../daemon/media/playlist.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { resumeAfter } from "../../daemon/media/resume.ts";
import { planTracks } from "../../daemon/media/track-plan.ts";
import { output } from "../helpers/command.ts";
import { readRecording } from "../helpers/recording.ts";
import { layOut } from "./relay.ts";

const PASSES = 12;
const encoder: EncoderChoice = {
  ...{ name: "libx264", device: null, preset: "veryfast" },
  kind: "software",
};

/** A film of three seconds that flashes and beeps at once, from 1 s to 1.4 s. */
const make = async (
  file: string,
  sound: string | null,
  codecs: readonly string[],
): Promise<string> => {
  const lavfi = ["-f", "lavfi", "-i"];
  const flash =
    "color=black:s=96x64:r=25:d=3,drawbox=c=white:t=fill:enable='between(t,0.999,1.399)'";
  const beep = `aevalsrc='sin(2500*t)*between(t,1,1.4)':s=48000:d=${sound ?? 1}`;
  const heard = sound === null ? [] : [...lavfi, beep];
  const all = ["-v", "error", "-y", ...lavfi, flash, ...heard, "-pix_fmt", "yuv420p", ...codecs];
  await output("ffmpeg", [...all, file]);
  return file;
};

/** Plays it through the command line of a stream, as fast as that goes, into a file. */
const play = async (
  folder: string,
  input: string,
  mode: Mode,
  reachedMs: number,
): Promise<string> => {
  const probed = await probeInput(ownInput(input), { ffprobe: "ffprobe" });
  if (!probed.ok) throw new Error(probed.message);
  const { media } = probed;
  const planned = planTracks(media, "flv", { mode, encoding: NO_ENCODING });
  if (!planned.ok) throw new Error(planned.message);
  const first = timelineOf({ media, loop: true, landing: BEGINNING, maxRunMs: 10_000 });
  const landing = await resumeAfter(
    { input: ownInput(input), media, timeline: first, outTimeMs: reachedMs },
    { ffprobe: "ffprobe" },
  );
  if (landing.fromMs > 0 !== reachedMs > 0) throw new Error(`lands at ${landing.fromMs} ms`);
  const wanted = { media, loop: true, landing, maxRunMs: PASSES * 3_100 };
  const run = path.join(folder, "run");
  const lists = listsOf(`item-0${path.extname(input)}`, media, timelineOf(wanted));
  layOut(run, input, lists);
  const flv = path.join(folder, "out.flv");
  const [program = "", ...args] = ffmpegArgv({
    ...{
      ffmpeg: "ffmpeg",
      playlist: path.join(run, "outer.ffconcat"),
      plan: planned.plan,
      encoder,
    },
    output: { url: "rtmp://h/a", preset: null },
  }).filter((word) => word !== "-re");
  const network = args.indexOf("-rw_timeout");
  const local = [...args.slice(0, network), ...args.slice(network + 2, -1), flv];
  const child = spawn(program, local, { stdio: ["ignore", "ignore", "ignore", "ignore"] });
  await new Promise((resolve) => child.once("exit", resolve));
  return flv;
};

/** When something begins or ends, by what a filter writes. */
const moments = async (flv: string, filter: string, word: string): Promise<number[]> => {
  const kind = filter.startsWith("silence") ? "-af" : "-vf";
  const print = kind === "-af" ? "ametadata=print:file=-" : "metadata=print:file=-";
  const args = ["-v", "error", "-i", flv, kind, `${filter},${print}`, "-f", "null", "-"];
  const text = await output("ffmpeg", args);
  return [...text.matchAll(new RegExp(`${word}=([\\d.]+)`, "g"))].map(([, at]) => Number(at));
};

t.jobs = 2;

const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2"];
const rows: readonly [
  what: string,
  name: string,
  mode: Mode,
  sound: string | null,
  codecs: readonly string[],
][] = [
  ["sound encoded", "opus.mkv", "auto", "3", [...X264, "-c:a", "libopus"]],
  ["both encoded", "film.mp4", "encode", "3", [...X264, "-c:a", "aac"]],
  ["both encoded, sound shorter", "short.mp4", "encode", "2.5", [...X264, "-c:a", "aac"]],
  ["both encoded, sound longer", "long.mp4", "encode", "3.3", [...X264, "-c:a", "aac"]],
  ["VP8 and Vorbis", "film.webm", "auto", "3", ["-c:v", "libvpx", "-c:a", "libvorbis"]],
  ["picture encoded, sound copied", "film.mpg", "auto", "3", [...X264, "-c:a", "mp3"]],
  ["AVI with B-frames", "film.avi", "auto", "3", ["-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"]],
  ["silence", "quiet.mp4", "auto", null, X264],
  ["picture encoded, silence", "quiet.mkv", "encode", null, X264],
];
/** The first two also begin in the middle, as after a crash. */
const all = [
  ...rows.map((row) => ({ row, reachedMs: 0 })),
  ...rows.slice(0, 2).map((row) => ({ row, reachedMs: 2_600 })),
];
for (const { row, reachedMs } of all) {
  const [codec, name, mode, sound, codecs] = row;
  const what = reachedMs === 0 ? codec : `${codec}, resumed`;
  void t.test(`${what}: no gap, no step back, no drift over ${PASSES} passes`, async (t) => {
    const folder = t.testdir();
    const film = await make(path.join(folder, name), sound, codecs);
    const flv = await play(folder, film, mode, reachedMs);
    const { video, audio } = await readRecording(flv);
    t.match([video?.codec, audio?.codec], ["h264", /^(aac|mp3)$/]);
    for (const [track, found] of Object.entries({ video, audio })) {
      t.ok((found?.toS ?? 0) > (PASSES - 2) * 3, `${track} to ${found?.toS} s`);
      t.ok((found?.smallestGap ?? -1) > 0, `${track} never steps back: ${found?.smallestGap}`);
      t.ok((found?.largestGap ?? 9) < 0.15, `${track} has no gap: ${found?.largestGap}`);
    }
    t.ok(Math.abs((video?.toS ?? 0) - (audio?.toS ?? 9)) < 0.6, "they end together");
    if (sound === null) return;
    const flashes = await moments(flv, "blackdetect=d=0.3:pix_th=0.5", "lavfi.black_end");
    const beeps = await moments(flv, "silencedetect=n=-20dB:d=0.3", "lavfi.silence_end");
    t.ok(flashes.length >= PASSES - 3, `${flashes.length} flashes`);
    t.equal(beeps.length, flashes.length, "a beep for each flash");
    const apart = flashes.map((at, index) => (beeps[index] ?? Infinity) - at);
    const [least, most] = [Math.min(...apart), Math.max(...apart)];
    t.ok(least > -0.08 && most < 0.08, `beeps come ${least} to ${most} s after their flash`);
  });
}
