import t from "tap";
import { encoderArguments } from "../../daemon/encoders/arguments.ts";
import { CANDIDATES } from "../../daemon/encoders/candidates.ts";
import { type Policy, chooseEncoder } from "../../daemon/encoders/choice.ts";
import { inTurn } from "../../daemon/encoders/in-turn.ts";
import { tellingLine } from "../../daemon/encoders/reason.ts";
import { command, output } from "../helpers/command.ts";

const machine = (...working: string[]) =>
  CANDIDATES.map(({ name, kind }) => {
    const works = working.includes(name);
    return { name, kind, works, reason: works ? null : `no ${name}`, device: null };
  });

const DEFAULT: Policy = {
  PREFER_HARDWARE_ENCODING: true,
  HARDWARE_ENCODER_FALLBACK: true,
  HARDWARE_ENCODING_ENABLED: true,
};
const GPU = machine("libx264", "h264_vaapi", "h264_qsv");

void t.test("Test the choice of an encoder", async (t) => {
  const choose = (
    found = GPU,
    asked: string | null = null,
    policy: Partial<Policy> = {},
    softwareOnly = false,
  ): string => {
    const chosen = chooseEncoder(found, { ...DEFAULT, ...policy }, asked, softwareOnly);
    if (!chosen.ok) return `refused: ${chosen.message}`;
    return chosen.encoder.name + (chosen.fallback === null ? "" : `, since ${chosen.fallback}`);
  };
  const bare = machine("libx264");
  t.equal(choose(), "h264_qsv", "the first in the document's order that works");
  t.equal(choose(bare), "libx264");
  t.equal(choose(GPU, null, { PREFER_HARDWARE_ENCODING: false }), "libx264");
  t.equal(choose(GPU, null, { HARDWARE_ENCODING_ENABLED: false }), "libx264");
  t.equal(choose(GPU, null, {}, true), "libx264");
  t.equal(choose(GPU, "h264_vaapi"), "h264_vaapi");
  t.equal(choose(GPU, "h264_vaapi", { PREFER_HARDWARE_ENCODING: false }), "h264_vaapi");
  t.equal(choose(GPU, "h264_vaapi", {}, true), "libx264");
  t.equal(choose(GPU, "libx264"), "libx264");
  t.equal(
    choose(GPU, "h264_nvenc"),
    "libx264, since h264_nvenc does not work here: no h264_nvenc",
    "not another GPU's, which nobody asked for",
  );
  t.match(
    choose(GPU, "h264_vaapi", { HARDWARE_ENCODING_ENABLED: false }),
    /^libx264, since h264_vaapi is not used: HARDWARE_ENCODING_ENABLED is false$/,
  );
  t.match(
    choose(GPU, "h264_nvenc", { HARDWARE_ENCODER_FALLBACK: false }),
    /^refused: h264_nvenc does not work here: no h264_nvenc\. .*HARDWARE_ENCODER_FALLBACK/,
  );
  t.match(choose(GPU, "libx265"), /^refused: libx265 is no encoder .* h264_nvenc, .* libx264\.$/);
  t.match(choose(GPU, "libx265", {}, true), /^refused: libx265 is no encoder/);
  const noSoftware = machine("h264_qsv");
  t.equal(choose(noSoftware), "h264_qsv");
  for (const asked of [null, "libx264"])
    t.match(
      choose(noSoftware, asked, {}, true),
      /^refused: libx264 does not work here: no libx264\. Install an FFmpeg with libx264/,
    );
  t.match(
    choose(noSoftware, "h264_nvenc"),
    /^refused: h264_nvenc .*: no h264_nvenc; and libx264 does not work here/,
  );
});

void t.test("Test FFmpeg's own reason", async (t) => {
  const opening = "maybe incorrect parameters such as bit_rate, rate, width or height";
  const reasons: ReadonlyArray<readonly [string | null, ...string[]]> = [
    [null],
    [
      "Cannot load libcuda.so.1",
      "[h264_nvenc @ 0x564a] Cannot load libcuda.so.1",
      `Error initializing output stream 0:0 -- Error while opening encoder - ${opening}`,
    ],
    [
      "Could not find a valid device",
      "[h264_v4l2m2m @ 0x55f3] Could not find a valid device",
      "[h264_v4l2m2m @ 0x55f3] can't configure encoder",
      `Error initializing output stream 0:0 -- Error while opening encoder - ${opening}`,
      "Conversion failed!",
    ],
    [
      "No VA display found for device /dev/dri/renderD128",
      "[AVHWDeviceContext @ 0x55e2] No VA display found for device /dev/dri/renderD128.",
      "Device creation failed: -22.",
      "Failed to set value '/dev/dri/renderD128' for option 'vaapi_device': Invalid argument",
      "Error parsing global options: Invalid argument",
    ],
    [
      "Error creating a MFX session: -9",
      "[swscaler @ 0x1] deprecated pixel format used, make sure you did set range correctly",
      "[h264_qsv @ 0x2] Error creating a MFX session: -9.",
      `[vost#0:0/h264_qsv @ 0x3] [enc:h264_qsv @ 0x4] Error while opening encoder - ${opening}`,
      "[vf#0:0 @ 0x5] Error sending frames to consumers: Unknown error occurred",
      "[vf#0:0 @ 0x5] Task finished with error code: -1313558101 (Unknown error occurred)",
      "[vf#0:0 @ 0x5] Terminating thread with return code -1313558101 (Unknown error occurred)",
      "[vost#0:0/h264_qsv @ 0x3] [enc:h264_qsv @ 0x4] Could not open encoder before EOF",
      "[out#0/null @ 0x6] Nothing was written into output file, because at least one stream had no packets",
    ],
    ["Unknown encoder 'h264_amf'", "Unknown encoder 'h264_amf'"],
    ["Conversion failed!", `Error while opening encoder - ${opening}`, "Conversion failed!"],
    ["odd \uFFFD[2J", "odd \u001B[2J"],
  ];
  for (const [reason, ...lines] of reasons) t.equal(tellingLine(lines.join("\n")), reason);
  t.ok((tellingLine("x".repeat(5_000)) ?? "").length < 250);
});

void t.test("Test one that takes long makes room for the next", async (t) => {
  const { promise: never, resolve } = Promise.withResolvers<string>();
  const order: string[] = [];
  const job = (name: string, result: Promise<string> | string) => async () => {
    order.push(name);
    return result;
  };
  const last = async (): Promise<string> => {
    resolve("late");
    return "last";
  };
  const jobs = [job("a", never), job("b", never), job("c", "soon"), last];
  t.same(await inTurn(jobs, 2, 5), ["late", "late", "soon", "last"]);
  t.same(order, ["a", "b", "c"]);
});

void t.test("Test the arguments of libx264: constant bit rate, a keyframe every 2 s", async (t) => {
  const choice = { name: "libx264", kind: "software", device: null, preset: "p6" } as const;
  for (const [fps, spacing] of [["25", 2] as const, ["30000/1001", 2.002] as const]) {
    const [over = 1, under = 1] = fps.split("/").map(Number);
    const made = encoderArguments(choice, { videoKbps: 400, fps: over / under });
    const file = `${t.testdir()}/out.ts`;
    const picture = `testsrc2=s=320x180:r=${fps}`;
    await output("ffmpeg", [
      ...["-v", "error", ...made.global, "-f", "lavfi", "-i", picture],
      ...["-t", "12", "-vf", made.filters.join(","), ...made.output, "-f", "mpegts", file],
    ]);
    const entries = ["-show_entries", "packet=pts_time,size,flags", "-of", "csv=p=0"];
    const text = await output("ffprobe", ["-v", "error", ...entries, file]);
    const packets = text
      .trim()
      .split("\n")
      .map((line) => line.split(","))
      // Side data has lines of its own.
      .filter(({ length }) => length > 2);
    const keys = packets.flatMap(([at, , flags]) => (flags?.startsWith("K") ? [Number(at)] : []));
    t.equal(keys.length, 6, `${fps}: ${keys.join(" ")}`);
    for (const [at, key] of keys.slice(1).entries())
      t.ok(Math.abs(key - (keys[at] ?? 0) - spacing) < 0.001, `${fps}: ${key}`);
    const kbps = packets.reduce((sum, [, size]) => sum + Number(size), 0) / 125 / 12;
    t.ok(kbps > 380 && kbps < 430, `${fps}: ${kbps} kbit/s`);
  }
});

void t.test("Test FFmpeg knows every argument it is given", async (t) => {
  const listed = await output("ffmpeg", ["-v", "error", "-encoders"]);
  const known = CANDIDATES.filter(({ name }) => listed.includes(` ${name} `));
  t.ok(known.length > 0);
  for (const { name, kind } of known) {
    const choice = { name, kind, device: null, preset: null };
    const made = encoderArguments(choice, { videoKbps: 500, fps: 30 });
    t.same(
      encoderArguments({ ...choice, device: "/dev/x" }, { videoKbps: 500, fps: 30 }).global,
      name === "h264_vaapi" ? ["-vaapi_device", "/dev/x"] : [],
    );
    const { stderr } = await command("ffmpeg", [
      ...["-v", "warning", "-f", "lavfi", "-i", "color=s=320x240:r=30", "-frames:v", "2"],
      ...["-vf", made.filters.join(","), ...made.output, "-f", "null", "-"],
    ]);
    t.notMatch(stderr, /Unrecognized|Undefined constant|Unable to parse|setting option|AVOption/);
  }
});
