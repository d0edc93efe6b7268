import t, { type Test } from "tap";
import { command } from "../helpers/command.ts";
import { renderFilm } from "../helpers/film.ts";

/** How many times the film is gone through: enough that FFmpeg's own start counts for little. */
const TIMES = 10;
const HARDWARE = ["h264_nvenc", "h264_qsv", "h264_vaapi", "h264_videotoolbox", "h264_v4l2m2m"];
/** VAAPI takes no pictures but from its device. */
const DEVICE: Readonly<Record<string, readonly string[]>> = {
  h264_vaapi: ["-vaapi_device", "/dev/dri/renderD128"],
};
const UPLOAD: Readonly<Record<string, readonly string[]>> = {
  h264_vaapi: ["-vf", "format=nv12,hwupload"],
};

const encodes = (encoder: string): readonly string[] => [
  ...(UPLOAD[encoder] ?? ["-pix_fmt", "yuv420p"]),
  ...["-c:v", encoder, ...(encoder === "libx264" ? ["-preset", "veryfast"] : [])],
  ...["-b:v", "800k", "-g", "50", "-c:a", "copy"],
];

/** CPU time in seconds, as FFmpeg itself has it from the kernel, for the film as often as said. */
const cpuOf = async (
  film: string,
  device: readonly string[],
  codecs: readonly string[],
): Promise<number> => {
  const input = ["-stream_loop", String(TIMES - 1), "-i", film];
  const done = await command("ffmpeg", [
    ...["-hide_banner", "-nostats", "-benchmark", ...device, ...input],
    ...["-map", "0:v:0", "-map", "0:a:0", ...codecs, "-f", "flv", "-y", "/dev/null"],
  ]);
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(done.stderr) ?? [];
  if (done.code !== 0 || user === undefined)
    throw new Error(`ffmpeg ended with ${done.code}: ${done.stderr.slice(-500)}`);
  return Number(user) + Number(system);
};

/** Why an encoder does not work here, in FFmpeg's words; null where it does. */
const whyNot = async (encoder: string): Promise<string | null> => {
  const picture = ["-f", "lavfi", "-i", "color=black:s=256x256:r=30", "-frames:v", "3"];
  const { code, stderr } = await command("ffmpeg", [
    ...["-v", "error", ...(DEVICE[encoder] ?? []), ...picture],
    ...(UPLOAD[encoder] ?? ["-pix_fmt", "yuv420p"]),
    ...["-c:v", encoder, "-f", "null", "-"],
  ]);
  if (code === 0) return null;
  return (
    stderr
      .trim()
      .split("\n")[0]
      ?.replaceAll(/ @ 0x[0-9a-f]+|#/g, "") ?? `exit ${code}`
  );
};

t.test(
  "Test CPU usage with hardware vs software encoding",
  { timeout: 120_000 },
  async (t: Test) => {
    const film = await renderFilm({ seconds: 4, size: "640x360" });
    const copy = await cpuOf(film, [], ["-c", "copy"]);
    const software = await cpuOf(film, [], encodes("libx264"));
    const text = `a copy costs ${((copy / software) * 100).toFixed(1)} % of encoding in software`;
    t.comment(text);
    t.ok(software > 0 && copy < software / 10, text);

    for (const encoder of HARDWARE) {
      const why = await whyNot(encoder);
      const skip = why === null ? false : `does not work here: ${why}`;
      t.test(`${encoder} costs less than software`, { skip }, async (t) => {
        const hardware = await cpuOf(film, DEVICE[encoder] ?? [], encodes(encoder));
        t.ok(hardware < software, `${((hardware / software) * 100).toFixed(1)} % of it`);
        t.ok(hardware > copy, "and more than a copy");
      });
    }
  },
);
