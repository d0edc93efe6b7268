import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import { stepsBack } from "../../daemon/media/clock-jump.ts";
import { probeInput } from "../../daemon/media/probe.ts";
import { output } from "../helpers/command.ts";

const folder = t.testdir();
const at = (name: string): string => path.join(folder, name);
const tools = { ffprobe: "ffprobe" };
const H264 = "-c:v libx264 -preset ultrafast -g 25 -bf 2 -pix_fmt yuv420p -c:a aac".split(" ");
const MPEG = ["-c:v", "mpeg2video", "-c:a", "mp2"];

const make = async (name: string, seconds: number, how: readonly string[]): Promise<Buffer> => {
  const picture = ["-f", "lavfi", "-i", `testsrc2=s=320x180:r=25:d=${seconds}`];
  const sound = ["-f", "lavfi", "-i", `sine=r=48000:d=${seconds}`];
  await output("ffmpeg", ["-v", "error", "-y", ...picture, ...sound, ...how, at(name)]);
  return readFileSync(at(name));
};

t.test("steps back, and what is none", (t) => {
  const of = (...ticks: readonly number[]): boolean =>
    stepsBack(ticks.map((one) => ({ id: 1, ticks: one })));
  const S = 90_000;
  t.notOk(of());
  t.notOk(of(0, S, 2 * S, 100 * S));
  t.ok(of(0, 10 * S, 0));
  t.notOk(of(0, 10 * S, 9.5 * S), "a careless multiplexer");
  t.notOk(of(2 ** 33 - S, 0, S), "33 bits are over");
  t.ok(of(2 ** 33 - S, S, 2 ** 33 - 2 * S));
  t.notOk(stepsBack([9, 1, 8, 2].map((n) => ({ id: n > 5 ? 0 : 1, ticks: n * 100 }))));
  t.ok(stepsBack([1, 1, 2, 2].map((id, n) => ({ id, ticks: n === 3 ? 0 : 10 * S }))));
  t.end();
});

t.test("recordings that were joined byte by byte", async (t) => {
  const film = await make("film.ts", 4, H264);
  const m2ts = await make("film.m2ts", 4, [...H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1"]);
  const mpg = await make("film.mpg", 4, MPEG);
  const mpeg1 = await make("one.mpg", 4, ["-f", "mpeg", "-c:v", "mpeg1video", "-c:a", "mp2"]);
  const wrapped = ["-output_ts_offset", String(2 ** 33 / 90_000 - 3), "-muxdelay", "0"];
  await make("wrapped.ts", 4, [...H264, ...wrapped]);
  // Quiet, then loud: a hundred times as many bytes a second.
  const loud = "-x264-params nal-hrd=none -qmin 0 -qp 1".split(" ");
  const noise = "geq=lum='if(gt(T,3),random(1)*255,16)':cb=128:cr=128";
  const vbr = await make("vbr.ts", 6, [...H264, ...loud, "-vf", noise]);
  t.ok(vbr.length > 24 * 256 * 1024, "not all of it is looked at");
  for (const name of ["film.ts", "film.m2ts", "film.mpg", "one.mpg", "wrapped.ts", "vbr.ts"])
    t.match(await probeInput(ownInput(at(name)), tools), { ok: true }, name);
  const joined = { film, m2ts, mpg, mpeg1, vbr };
  for (const [name, bytes] of Object.entries(joined)) {
    const extension = name.startsWith("mp") ? "mpg" : "ts";
    const file = at(`joined-${name}.${extension}`);
    writeFileSync(file, Buffer.concat([bytes, bytes]));
    t.match(
      await probeInput(ownInput(file), tools),
      { ok: false, reason: "input-corrupt", message: /its clock jumps back.*-c copy OUTPUT.mp4$/ },
      name,
    );
  }
});
