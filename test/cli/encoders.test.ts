import tap from "tap";
import type { Encoder, Encoders } from "../../shared/contract/daemon.ts";
import { encoderLines } from "../../cli/render/encoders.ts";

const encoder = (name: string, reason: string | null, device: string | null = null): Encoder => ({
  name,
  kind: name === "libx264" ? "software" : "hardware",
  works: reason === null,
  reason,
  device,
});

const found = (preferred: string, ...encoders: Encoder[]): Encoders => ({
  version: 1,
  nvidia: false,
  intelQSV: false,
  appleVT: false,
  preferred,
  fallback: "libx264",
  encoders,
  ffmpeg: "5.1.9",
  at: "2026-03-04T12:00:00.000Z",
});

const nvenc = encoder("h264_nvenc", "Cannot load libcuda.so.1\u001B[2J");
const vaapi = encoder("h264_vaapi", null, "/dev/dri/renderD129");
const x264 = encoder("libx264", null);

void tap.test("the table of encoders", async (t) => {
  t.same(encoderLines(found("libx264", nvenc, x264), null), [
    "ENCODER     KIND      WORKS  REASON",
    "h264_nvenc  hardware  no     Cannot load libcuda.so.1\uFFFD[2J",
    "libx264     software  yes    -",
    "",
    "Streams that are encoded use libx264 (FFmpeg 5.1.9).",
  ]);
  const narrow = encoderLines(found("libx264", nvenc, x264), 30);
  t.match(narrow[0], /^ENCODER +WORKS +REASON$/);
  t.match(narrow[1], /Cannot l.*…$/);
});

void tap.test("which encoder will be used", async (t) => {
  const outcome = (one: Encoders): string | undefined => encoderLines(one, null).at(-1);
  t.equal(
    outcome(found("h264_vaapi", nvenc, vaapi, x264)),
    "Streams that are encoded use h264_vaapi on /dev/dri/renderD129 (FFmpeg 5.1.9).",
  );
  t.equal(
    outcome(found("libx264", nvenc, vaapi, x264)),
    "Streams that are encoded use libx264 (FFmpeg 5.1.9); the settings keep h264_vaapi from being used.",
  );
  const none = { ...found("libx264", encoder("libx264", "it was not built in")), ffmpeg: null };
  t.equal(outcome(none), "No encoder can be used: install an FFmpeg with libx264.");
});
