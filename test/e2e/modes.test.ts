import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { output } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { readRecording } from "../helpers/recording.ts";
import { type RtmpServer, startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const place = t.testdir({ "text.mp4": "no film\n", "empty.mp4": "" });
const at = (name: string): string => path.join(place, name);
const lavfi = ["-f", "lavfi", "-i"];
const picture = [...lavfi, "testsrc2=s=160x90:r=25:d=2"];
const tone = (seconds: number): string[] => [...lavfi, `sine=440:r=48000:d=${seconds}`];
const X264 = "-c:v libx264 -preset ultrafast -g 25 -bf 2 -pix_fmt yuv420p".split(" ");
const AAC = ["-c:a", "aac"];
const surround = [...lavfi, "aevalsrc='0.1*sin(2500*t)':s=48000:c=5.1:d=2"];

/** What FFmpeg makes of each name. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "opus.mkv": [...picture, ...tone(2), ...X264, "-c:a", "libopus"],
  "silent.mp4": [...picture, ...X264],
  "tracks.mov": [
    ...[...picture, ...tone(2), ...lavfi, "sine=880:r=44100:d=2", "-map", "0", "-map", "1"],
    ...["-map", "2", ...X264, ...AAC, "-disposition:a:0", "0", "-disposition:a:1", "default"],
    ...["-timecode", "01:00:00:00"],
  ],
  "hevc.mp4": [
    ...[...picture, ...tone(2), "-c:v", "libx265", "-preset", "ultrafast", ...AAC],
    ...["-x265-params", "log-level=error"],
  ],
  "vp8.webm": [...picture, ...tone(2), "-c:v", "libvpx", "-c:a", "libvorbis"],
  "interlaced.mp4": [
    ...[...lavfi, "testsrc2=s=160x96:r=25:d=2", ...tone(2), ...X264],
    ...["-flags", "+ilme+ildct", ...AAC],
  ],
  "portrait.mp4": [...lavfi, "testsrc2=s=90x160:r=25:d=2", ...tone(2), ...X264, ...AAC],
  "vfr.mp4": [
    ...[...picture, ...tone(2), "-vf", "select='lt(n,25)+not(mod(n,3))'", "-vsync", "vfr"],
    ...[...X264, ...AAC],
  ],
  "long-sound.mp4": [...picture, ...tone(3), ...X264, ...AAC],
  "short-sound.mp4": [...picture, ...tone(1), ...X264, ...AAC],
  "surround.mp4": [...picture, ...surround, ...X264, ...AAC],
  "ac3.mkv": [...picture, ...surround, ...X264, "-c:a", "ac3"],
  "b-frames.avi": [...picture, ...tone(2), "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"],
  "odd.webm": [
    ...[...lavfi, "testsrc2=s=161x91:r=30:d=2", "-c:v", "libvpx-vp9", "-deadline", "realtime"],
    ...["-cpu-used", "8"],
  ],
};
/** Each picture is a little lighter than the one before, so that it says which one it is. */
const GRADUAL_FRAMES = 200;
const DARKEST = 20;
const gradual = [
  ...[...lavfi, "color=black:s=64x48:r=25:d=8", ...tone(8)],
  ...["-vf", `geq=lum='${DARKEST}+N':cb=128:cr=128`, "-pix_fmt", "yuv420p"],
];

const render = async (name: string, args: readonly string[]): Promise<void> => {
  await output("ffmpeg", ["-v", "error", "-y", ...args, at(name)]);
};

t.before(async () => {
  for (const [name, args] of Object.entries(FILES)) await render(name, args);
  await render("gradual.mkv", [...gradual, "-c:v", "mpeg2video", "-q:v", "2", "-g", "25", ...AAC]);
  await render("upright.mp4", [...picture, ...X264]);
  // Only a copy keeps this tag, from which the container then makes its matrix.
  const turned = ["-i", at("upright.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90"];
  await render("turned.mp4", turned);
  writeFileSync(at("cut.mp4"), readFileSync(at("silent.mp4")).subarray(0, 8_000));
  await output("mkfifo", [at("fifo.mp4")]);
});

const statusOf = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [first] = streams;
  if (first === undefined) throw new Error(`no status of ${name}`);
  return first;
};

/** Waits until so much media of it was sent. */
const sent = async (daemon: Daemon, name: string, ms: number): Promise<StreamStatus> =>
  until(
    `${ms} ms of ${name}`,
    async () => {
      const status = await statusOf(daemon, name);
      return (status.progress?.outTimeMs ?? 0) > ms ? status : null;
    },
    40_000,
  );

const recordings = async (server: RtmpServer, name: string): Promise<string[]> =>
  until(
    `the recordings of ${name}`,
    () => {
      const all = server.publishes(name);
      const done = all.length > 0 && all.every(({ endedMs }) => endedMs !== null);
      return done ? all.flatMap(({ file }) => file ?? []) : null;
    },
    5_000,
  );

const start = async (): Promise<{ server: RtmpServer; daemon: Daemon }> => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({
    env: { MAX_CONCURRENT_STREAMS_PER_USER: "100", MAX_CONCURRENT_STREAMS_GLOBAL: "100" },
  });
  t.teardown(() => daemon.end());
  return { server, daemon };
};

t.jobs = 3;

void t.test("auto plays what it can, and says why it cannot", { timeout: 120_000 }, async (t) => {
  const { server, daemon } = await start();
  const rows: readonly [file: string, ready: RegExp, sound: string, size: string][] = [
    ["opus.mkv", /picture copied, sound encoded \(Opus to AAC\)/, "aac 48000 2", "160x90"],
    ["silent.mp4", /picture copied, silence added/, "aac 48000 2", "160x90"],
    ["tracks.mov", /picture copied, sound copied/, "aac 44100 1", "160x90"],
    ["hevc.mp4", /picture encoded \(H.265 to H.264, \w+\), sound copied/, "aac 48000 1", "160x90"],
    ["vp8.webm", /picture encoded .*, sound encoded/, "aac 48000 2", "160x90"],
    ["interlaced.mp4", /picture copied, sound copied/, "aac 48000 1", "160x96"],
    ["portrait.mp4", /picture copied, sound copied/, "aac 48000 1", "90x160"],
    ["turned.mp4", /picture encoded .*, silence added/, "aac 48000 2", "90x160"],
    ["vfr.mp4", /picture copied, sound copied/, "aac 48000 1", "160x90"],
    ["long-sound.mp4", /picture copied, sound copied/, "aac 48000 1", "160x90"],
    ["short-sound.mp4", /picture copied, sound copied/, "aac 48000 1", "160x90"],
    ["surround.mp4", /picture copied, sound copied/, "aac 48000 6", "160x90"],
    ["ac3.mkv", /picture copied, sound encoded \(AC-3 to AAC\)/, "aac 48000 2", "160x90"],
    ["b-frames.avi", /picture encoded .*, sound copied/, "mp3 48000 1", "160x90"],
    ["odd.webm", /picture encoded .*, silence added/, "aac 48000 2", "160x90"],
  ];
  const named = (file: string): string => file.replace(".", "-");
  const add = async ([file, ready]: (typeof rows)[number]): Promise<void> => {
    const to = `${server.url}/${named(file)}`;
    const done = await daemon.cli("add", named(file), "--input", at(file), "--to", to, "--start");
    t.match(done, { code: 0, stderr: ready }, file);
  };
  // A few at a time: each is examined by several processes.
  const lanes = [0, 1, 2].map((lane) => rows.filter((_, index) => index % 3 === lane));
  await Promise.all(
    lanes.map(async (lane) => {
      for (const row of lane) await add(row);
    }),
  );
  // Past the first seam.
  const states = await Promise.all(rows.map(([file]) => sent(daemon, named(file), 4_000)));
  await daemon.cli("stop", "--all", "--wait");
  for (const [index, [file, , sound, size]] of rows.entries()) {
    const name = named(file);
    const status = states[index];
    const [recording = ""] = await recordings(server, name);
    const { video, audio } = await readRecording(recording);
    t.match(status, { state: "live", restarts: 0 }, file);
    t.equal(video?.codec, "h264", file);
    t.equal(`${video?.width}x${video?.height}`, size, file);
    t.equal(`${audio?.codec} ${audio?.sampleRate} ${audio?.channels}`, sound, file);
    t.ok((video?.smallestGap ?? 0) > 0 && (audio?.smallestGap ?? 0) > 0, `${file}: no step back`);
    t.ok(Math.min(video?.toS ?? 0, audio?.toS ?? 0) > 2.2, `${file}: both past the seam`);
  }
  t.equal((await statusOf(daemon, "opus-mkv")).tracks, null, "nothing runs");

  const to = `${server.url}/none`;
  const refused: readonly [file: string, code: number, words: RegExp, ...more: string[]][] = [
    ["cut.mp4", 1, /cut.mp4 is incomplete/],
    ["text.mp4", 1, /text.mp4 is not a film/],
    ["empty.mp4", 1, /empty.mp4 is empty/],
    [".", 1, /is a directory/],
    ["fifo.mp4", 1, /fifo.mp4 is a pipe/],
    [
      "opus.mkv",
      1,
      /the sound of opus.mkv is Opus, which FLV cannot carry. Leave out --mode copy \(only the sound/,
      ...["--mode", "copy"],
    ],
    ["vp8.webm", 1, /the picture of vp8.webm is VP8/, "--mode", "copy"],
    ["turned.mp4", 1, /turned by the player \(270°\)/, "--mode", "copy"],
    ["opus.mkv", 78, /--fps needs --mode encode: --mode auto copies/, "--fps", "25"],
    [
      "portrait.mp4",
      78,
      /--preset, --encoder need --mode encode or auto: --mode copy encodes nothing/,
      ...["--mode", "copy", "--preset", "fast", "--encoder", "libx264"],
    ],
    [
      "hevc.mp4",
      78,
      /libx264 has no preset called p4: use one of/,
      "--encoder",
      "libx264",
      "--preset",
      "p4",
    ],
    ["hevc.mp4", 78, /h264_nosuch/, "--encoder", "h264_nosuch"],
    ["portrait.mp4", 78, /h264_nosuch/, "--encoder", "h264_nosuch"],
    ["hevc.mp4", 2, /--size/, "--mode", "encode", "--size", "1281x720"],
  ];
  for (const [file, code, words, ...more] of refused) {
    const done = await daemon.cli("add", "none", "--input", at(file), "--to", to, ...more);
    t.match(done, { code, stderr: words }, `${file} ${more.join(" ")}`);
  }
});

void t.test("encode: size, rates, keyframes; show and set", { timeout: 120_000 }, async (t) => {
  const { server, daemon } = await start();
  const how = "--mode encode --size 320x240 --fps 30 --video-bitrate 400k --audio-bitrate 64k";
  const key = "k3y-0f-film";
  const to = `${server.url}/${key}`;
  const add = ["add", "film", "--input", at("vfr.mp4"), "--to", to, ...how.split(" ")];
  t.match(await daemon.cli(...add), {
    code: 0,
    stderr: /picture encoded \(H.264, \w+\), sound enc/,
  });
  const planned = JSON.parse((await daemon.cli("show", "film", "--command", "--json")).stdout).argv;
  await daemon.cli("start", "film", "--wait");
  const line = await daemon.cli("show", "film", "--command");
  const { argv } = JSON.parse((await daemon.cli("show", "film", "--command", "--json")).stdout);
  t.same(argv, planned, "what runs is what was said");
  t.match(line, { code: 0, stdout: /ffmpeg .* '.*pad=320:240:\(ow-iw\)\/2.*' .*\n$/ });
  t.notMatch(line.stdout, key);
  t.match((await daemon.cli("show", "film")).stdout, /mode: +encode\nsize: +320x240\nfps: +30\n/);
  await daemon.restart("SIGKILL");
  t.match((await sent(daemon, "film", 7_000)).tracks, {
    video: { action: "encode", encoder: /h264|libx264/, fallback: null },
    audio: { action: "encode" },
  });

  const kept = await daemon.cli("show", "film", "--command");
  t.equal(kept.stdout, line.stdout, "the next daemon knows it too");

  const set = async (...args: string[]): Promise<string> => {
    const { stdout } = await daemon.cli("set", "film", ...args, "--json");
    const { changed, needsRestart } = JSON.parse(stdout);
    return `${changed ? "changed" : "same"}${needsRestart ? ", restart" : ""}`;
  };
  t.equal(await set("--on-resource-breach", "restart"), "changed");
  t.equal(await set("--fps", "30"), "same");
  t.equal(await set("--preset", "superfast"), "changed, restart");
  t.equal(await set("--preset", "default"), "changed, restart");
  t.match(await daemon.cli("set", "film", "--mode", "auto"), {
    code: 78,
    stderr: /film: not changed: --size, --fps need --mode encode: .*--size default --fps default/,
  });
  t.equal(await set("--mode", "auto", "--size", "default", "--fps", "default"), "changed, restart");
  await daemon.cli("stop", "film", "--wait");
  const [recording = ""] = await recordings(server, key);
  const { video, audio } = await readRecording(recording);
  t.match(video, { codec: "h264", width: 320, height: 240 });
  t.match(audio, { codec: "aac", channels: 2, sampleRate: 48_000 });
  const frames = (video?.packets ?? 0) - 1;
  t.ok(Math.abs(frames / ((video?.toS ?? 0) - (video?.fromS ?? 0)) - 30) < 0.1, "30 a second");
  t.ok((video?.largestGap ?? 1) < 0.05, "each as long as the others");
  t.ok(Math.abs((video?.largestKeyGap ?? 0) - 2) < 0.01, `keyframes: ${video?.largestKeyGap} s`);
});

/** Which pictures of the gradual film a recording has, in order. */
const seen = async (file: string): Promise<number[]> => {
  const plane = "extractplanes=y,scale=1:1:flags=area";
  const raw = `${file}.gray`;
  await output("ffmpeg", ["-v", "quiet", "-y", "-i", file, "-vf", plane, "-f", "rawvideo", raw]);
  return [...readFileSync(raw)].map((light) => light - DARKEST);
};

void t.test(
  "FFmpeg is killed while it encodes: nothing is skipped",
  { timeout: 90_000 },
  async (t) => {
    const { server, daemon } = await start();
    const runs = { picture: ["--preset", "medium"], all: ["--mode", "encode"] };
    const survive = async (name: keyof typeof runs): Promise<void> => {
      const to = `${server.url}/${name}`;
      const how = ["--video-bitrate", "400k", ...runs[name]];
      await daemon.cli("add", name, "--input", at("gradual.mkv"), "--to", to, ...how, "--start");
      for (const ms of [4_500, 3_000]) {
        const { pid } = await sent(daemon, name, ms);
        process.kill(pid ?? 0, "SIGKILL");
        await until(
          "another",
          async () => ![pid, null].includes((await statusOf(daemon, name)).pid),
          9_000,
        );
      }
      await sent(daemon, name, 1_500);
      await daemon.cli("stop", name, "--wait");
      let last: number | null = null;
      for (const file of await recordings(server, name)) {
        const pictures = await seen(file);
        const [first = 0] = pictures;
        if (last !== null) {
          // In a loop every place is both ahead and behind: a run goes back by less than five seconds.
          const back: number = (last + 1 - first + GRADUAL_FRAMES) % GRADUAL_FRAMES;
          t.ok(back < 125, `${name}: after picture ${last} comes ${first}: ${back} again`);
        }
        last = pictures.at(-1) ?? last;
      }
    };
    await Promise.all([survive("picture"), survive("all")]);
  },
);
