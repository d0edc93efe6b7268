import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { readDevices } from "../../daemon/encoders/devices.ts";
import { withArgument } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { CLAIMS_NVENC, fakeFfmpeg, makeDetector } from "./fake-ffmpeg.ts";

const trialsOf = (runs: readonly string[]): string[] =>
  runs.flatMap((line) => / -c:v (\S+)/.exec(line)?.[1] ?? []).sort();

const MOCK = `*-version) echo "ffmpeg version 9.9-mock Copyright"; exit 0 ;;
*-encoders)
  echo " V..... = Video"
  for name in libx264 h264_nvenc h264_qsv h264_vaapi; do echo " V....D $name    words"; done
  exit 0 ;;
*h264_nvenc*)
  echo "[h264_nvenc @ 0x1] Driver does not support the required nvenc API version. Required: 12.1 Found: 12.0" >&2
  echo "[h264_nvenc @ 0x1] The minimum required Nvidia driver for nvenc is 530.41.03 or newer" >&2
  echo "Error while opening encoder for output stream #0:0" >&2
  exit 1 ;;
*h264_qsv*|*libx264*) exit 0 ;;
*h264_vaapi*) kill -SEGV $$ ;;`;

void t.test("Test HardwareDetector with mock FFmpeg output", async (t) => {
  const directory = t.testdir();
  const fake = fakeFfmpeg(directory, MOCK, "exit 9");
  const { detector, said } = makeDetector(directory, { FFMPEG_PATH: fake.program });
  t.equal(detector.getEncoder(), "libx264", "nothing is known yet");
  const found = await detector.detectEncoders();
  t.match(found, {
    ...{ version: 1, nvidia: false, intelQSV: true, appleVT: false },
    ...{ preferred: "h264_qsv", fallback: "libx264", ffmpeg: "9.9-mock" },
  });
  t.same(
    found.encoders.map(({ name, works, reason }) => [name, works, reason]),
    [
      [
        "h264_nvenc",
        false,
        "Driver does not support the required nvenc API version. Required: 12.1 Found: 12.0",
      ],
      ["h264_qsv", true, null],
      ["h264_videotoolbox", false, "this FFmpeg was built without it"],
      ["h264_vaapi", false, "FFmpeg crashed or was killed"],
      ["h264_amf", false, "this FFmpeg was built without it"],
      ["h264_v4l2m2m", false, "this FFmpeg was built without it"],
      ["libx264", true, null],
    ],
    "in the order of preference",
  );
  t.equal(detector.getEncoder(), "h264_qsv");
  t.equal(detector.getPreset("h264_nvenc"), "p4");
  t.equal(detector.getPreset("libx264"), "veryfast");
  t.equal(detector.getPreset("h264_vaapi"), "");
  t.same(trialsOf(fake.runs()), ["h264_nvenc", "h264_qsv", "h264_vaapi", "libx264"]);
  t.match(said, [/^info: encoders: h264_qsv, libx264 work \(tried in \d+ ms\); h264_qsv is used$/]);
});

const hasDevices = (await readDevices()).length > 0;
const skip = hasDevices ? "only without a GPU: this machine has devices that encode" : false;

void t.test("Test a machine without a GPU", { skip }, async (t) => {
  const { detector, said } = makeDetector(t.testdir());
  const found = await detector.detectEncoders();
  t.match(found, { nvidia: false, intelQSV: false, appleVT: false, preferred: "libx264" });
  for (const { name, kind, works, reason } of found.encoders) {
    t.equal(works, kind === "software", name);
    if (kind === "software") continue;
    t.notMatch(reason, /^$|Error (while opening|initializing output|parsing)|Conversion failed/);
    t.match(reason, /built without it|Cannot load|session|display|device/, `${name}: ${reason}`);
  }
  t.match(await detector.choose(null, false), { ok: true, encoder: { name: "libx264" } });
  t.match(said, [/^info: encoders: only libx264 works/]);
});

void t.test("Test what is known is not tried again until something changes", async (t) => {
  const directory = t.testdir({ dev: { video0: "" } });
  const fake = fakeFfmpeg(directory, CLAIMS_NVENC);
  const settings: Record<string, unknown> = { FFMPEG_PATH: fake.program };
  const first = makeDetector(directory, settings);
  const all = await Promise.all([
    first.detector.detectEncoders(),
    first.detector.detectEncoders(),
    first.detector.choose(null, false),
  ]);
  t.match(all[0], { nvidia: true, preferred: "h264_nvenc" });
  t.same(all[0], all[1]);
  t.match(all[2], { ok: true, encoder: { name: "h264_nvenc", kind: "hardware", preset: "p4" } });
  const trials = trialsOf(fake.runs());
  t.same(trials, [...new Set(trials)], "whoever asks at the same time shares one detection");
  await first.detector.detectEncoders();
  t.same(fake.runs(), [], "known");

  const second = makeDetector(directory, settings);
  const kept = await second.detector.detectEncoders();
  t.same(kept, all[0]);
  t.same(fake.runs(), ["-version"], "a later daemon tries nothing");
  t.match(second.said, [/as found before/]);

  const again = await Promise.all([
    second.detector.detectEncoders(true),
    second.detector.detectEncoders(true),
  ]);
  t.same(trialsOf(fake.runs()), trials, "refreshed, once");
  t.ok(again[0].at > kept.at);
  t.equal((await makeDetector(directory, settings).detector.detectEncoders()).at, again[0].at);

  const triedBy = async (): Promise<string[]> => {
    fake.runs();
    await makeDetector(directory, settings).detector.detectEncoders();
    return trialsOf(fake.runs());
  };
  mkdirSync(path.join(directory, "dev", "dri"));
  writeFileSync(path.join(directory, "dev", "dri", "renderD128"), "");
  t.same(await triedBy(), trials, "a device came");
  t.same(await triedBy(), []);
  rmSync(path.join(directory, "dev", "video0"));
  t.same(await triedBy(), trials, "a device went");
  appendFileSync(fake.program, "# another build\n");
  t.same(await triedBy(), trials, "FFmpeg changed");
  writeFileSync(path.join(directory, "encoders.json"), '{"version":1,"encoders":');
  t.same(await triedBy(), trials, "what was kept cannot be read");
  settings["HARDWARE_ENCODING_ENABLED"] = false;
  t.same(await triedBy(), ["libx264"], "no driver is touched");
  settings["HARDWARE_ENCODING_ENABLED"] = true;

  const running = makeDetector(directory, settings);
  await running.detector.detectEncoders();
  fake.runs();
  writeFileSync(path.join(directory, "dev", "nvidia0"), "");
  await running.detector.choose(null, false);
  t.same(trialsOf(fake.runs()), trials, "a device came while the daemon ran");
});

void t.test("Test an FFmpeg that hangs is bounded", async (t) => {
  const directory = t.testdir();
  const asleep = `7${process.pid}.5`;
  const hangs = `*h264_nvenc*) exec sleep ${asleep} ;;`;
  const rest = MOCK.replace(/\*h264_nvenc\*\)[\s\S]*?;;/, hangs);
  const fake = fakeFfmpeg(directory, rest, "exit 9");
  const made = makeDetector(directory, { FFMPEG_PATH: fake.program }, { withinMs: 3_000 });
  const found = await made.detector.detectEncoders();
  t.match(found.encoders[0], { works: false, reason: /^it did not answer within [\d.]+ s$/ });
  t.equal(found.preferred, "h264_qsv", "the others had their turn");
  t.match(made.said, [/^warn: encoders: h264_qsv, libx264 work .*not every encoder answered/]);
  t.throws(() => readFileSync(path.join(directory, "encoders.json")), "not for good");
  await until("it is gone", () => withArgument(asleep).length === 0, 5_000);
  fake.runs();
  await made.detector.choose(null, false);
  t.same(fake.runs(), [], "and streams do not wait for it again");

  const deaf = fakeFfmpeg(directory, "", `exec sleep ${asleep}`);
  const none = makeDetector(directory, { FFMPEG_PATH: deaf.program }, { withinMs: 600 });
  t.ok((await none.detector.detectEncoders()).encoders.every(({ works }) => !works));
  const believed = { ok: true, encoder: { name: "libx264" } };
  t.match(await none.detector.choose(null, false), believed, "the stream itself tries it");
  const ended = makeDetector(directory, { FFMPEG_PATH: deaf.program }, { withinMs: 60_000 });
  const underWay = ended.detector.detectEncoders();
  await until("it runs", () => withArgument(asleep).length > 0, 10_000);
  ended.detector.stop();
  await underWay;
  t.same(ended.said, [], "an end of the daemon is nothing to warn of");
  await until("they are gone", () => withArgument(asleep).length === 0, 5_000);
});

void t.test("Test the render node for VAAPI is found", async (t) => {
  const nodes = { card0: "", renderD128: "", renderD129: "", renderD1024: "" };
  const directory = t.testdir({ dev: { dri: nodes, console: "" } });
  const dri = path.join(directory, "dev", "dri");
  const works = '*"-vaapi_device "*"renderD129"*"format=nv12,hwupload"*h264_vaapi*) exit 0 ;;';
  const fails =
    '*h264_vaapi*) echo "[AVHWDeviceContext @ 0x1] Failed to initialise VAAPI connection: -1 (unknown libva error)." >&2; exit 1 ;;';
  const fake = fakeFfmpeg(directory, `${works}\n${fails}\n${MOCK}`, "exit 9");
  const settings = { FFMPEG_PATH: fake.program };
  const { detector } = makeDetector(directory, settings);
  const device = path.join(dri, "renderD129");
  t.match((await detector.detectEncoders()).encoders[3], { works: true, reason: null, device });
  t.match(await detector.choose("h264_vaapi", false), { ok: true, encoder: { device } });
  rmSync(device);
  t.match((await detector.detectEncoders()).encoders[3], {
    works: false,
    reason: "Failed to initialise VAAPI connection: -1 (unknown libva error)",
    device: path.join(dri, "renderD128"),
  });
});

void t.test("Test no FFmpeg", async (t) => {
  const { detector, said } = makeDetector(t.testdir(), { FFMPEG_PATH: "/nowhere/ffmpeg" });
  t.match(await detector.detectEncoders(), { ffmpeg: null, preferred: "libx264" });
  t.match(await detector.choose(null, false), {
    ok: false,
    message: /^libx264 does not work here: \/nowhere\/ffmpeg cannot be run\. Install an FFmpeg/,
  });
  t.match(said, [/^warn: encoders: none works/]);
});
