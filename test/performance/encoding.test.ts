import t, { type Test } from "tap";
import { encoderArguments } from "../../daemon/encoders/arguments.ts";
import { SOFTWARE, candidateOf } from "../../daemon/encoders/candidates.ts";
import { detect } from "../../daemon/encoders/detection.ts";
import { readDevices } from "../../daemon/encoders/devices.ts";
import { command } from "../helpers/command.ts";
import { renderFilm } from "../helpers/film.ts";

/** How many times the film is gone through: enough that FFmpeg's own start counts for little. */
const TIMES = 8;
const FPS = 25;

type Codecs = { readonly global: readonly string[]; readonly output: readonly string[] };

const COPY: Codecs = { global: [], output: ["-c", "copy"] };

/** An encoder with the very arguments that a stream gets. */
const encoding = (name: string, device: string | null): Codecs => {
  const kind = candidateOf(name)?.kind ?? "software";
  const rate = { videoKbps: 800, fps: FPS };
  const made = encoderArguments({ name, kind, device, preset: null }, rate);
  return {
    global: made.global,
    output: ["-vf", made.filters.join(","), ...made.output, "-c:a", "copy"],
  };
};

/** CPU time in seconds, as FFmpeg itself has it from the kernel, for the film as often as said. */
const cpuOf = async (film: string, { global, output }: Codecs): Promise<number> => {
  const input = ["-stream_loop", String(TIMES - 1), "-i", film];
  const done = await command("ffmpeg", [
    ...["-hide_banner", "-nostats", "-benchmark", ...global, ...input],
    ...["-map", "0:v:0", "-map", "0:a:0", ...output, "-f", "flv", "-y", "/dev/null"],
  ]);
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(done.stderr) ?? [];
  if (done.code !== 0 || user === undefined)
    throw new Error(`ffmpeg ended with ${done.code}: ${done.stderr.slice(-500)}`);
  return Number(user) + Number(system);
};

t.test(
  "Test CPU usage with hardware vs software encoding",
  { timeout: 120_000 },
  async (t: Test) => {
    const film = await renderFilm({ seconds: 4, size: "640x360", fps: FPS });
    const copy = await cpuOf(film, COPY);
    const software = await cpuOf(film, encoding(SOFTWARE, null));
    const text = `a copy costs ${((copy / software) * 100).toFixed(1)} % of encoding in software`;
    t.comment(text);
    t.ok(software > 0 && copy < software / 10, text);

    const { encoders } = await detect({
      ...{ ffmpeg: "ffmpeg", devices: await readDevices(), hardware: true },
      ...{ withinMs: 10_000, signal: new AbortController().signal },
    });
    for (const { name, kind, works, reason, device } of encoders) {
      if (kind === "software") continue;
      const skip = works ? false : `does not work here: ${reason}`;
      t.test(`${name} costs less than software`, { skip }, async (t) => {
        const hardware = await cpuOf(film, encoding(name, device));
        t.ok(hardware < software, `${((hardware / software) * 100).toFixed(1)} % of it`);
        t.ok(hardware > copy, "and more than a copy");
      });
    }
  },
);
