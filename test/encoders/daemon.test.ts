import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { startDaemon } from "../helpers/daemon.ts";
import { until } from "../helpers/until.ts";
import { CLAIMS_NVENC, fakeFfmpeg } from "./fake-ffmpeg.ts";

void t.test("Test a daemon whose ffmpeg on the PATH claims a working NVENC", async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "sb-fake-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const fake = fakeFfmpeg(directory, CLAIMS_NVENC);
  const daemon = await startDaemon({
    env: { PATH: `${directory}:${process.env["PATH"]}` },
  });
  t.teardown(daemon.end);
  const tried = (): Record<string, unknown> | undefined =>
    daemon.events().find(({ event }) => event === "encoders");
  // Nobody asked: it is tried in the background of the start.
  t.match(await until("encoders are tried", tried, 15_000), {
    level: "info",
    working: ["h264_nvenc", "libx264"],
    preferred: "h264_nvenc",
  });
  fake.runs();
  const shown = await daemon.cli("encoders");
  t.match(shown, { code: 0, stderr: "" });
  t.match(shown.stdout, /^ENCODER +KIND +WORKS +REASON\nh264_nvenc +hardware +yes +-\n/);
  t.match(shown.stdout, /\n\nStreams that are encoded use h264_nvenc \(FFmpeg [^)]+\)\.\n$/);
  t.same(fake.runs(), [], "asking does not try");
  const refreshed = await daemon.cli("encoders", "--refresh", "--json");
  t.match(JSON.parse(refreshed.stdout), {
    ...{ version: 1, nvidia: true, intelQSV: false, appleVT: false },
    ...{ preferred: "h264_nvenc", fallback: "libx264" },
  });
  t.ok(fake.runs().some((line) => line.includes("-c:v h264_nvenc")));
  t.match(await daemon.cli("encoders", "-q"), { code: 0, stdout: "", stderr: "" });
});
