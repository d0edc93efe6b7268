import { statSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import t from "tap";
import { pictureMisfit, soundMisfit } from "../../daemon/media/container.ts";
import type { OutputContainer } from "../../daemon/media/container.ts";
import type { MediaInfo } from "../../daemon/media/media-info.ts";

const media = (video: string, audio: string | null, sampleRate = 48_000): MediaInfo => ({
  container: "matroska,webm",
  durationMs: 1_000,
  startMs: 0,
  sizeBytes: 1,
  mtimeMs: 1,
  video: {
    index: 0,
    codec: video,
    width: 176,
    height: 144,
    frameMs: 40,
    reorderMs: 0,
    rotation: 0,
    interlaced: false,
    pixelAspect: 1,
    pixelFormat: "yuv420p",
  },
  audio: audio === null ? null : { index: 1, codec: audio, frameMs: 20, sampleRate, channels: 1 },
  longestTrackMs: 1_000,
  headMs: 0,
  leastPassMs: 1_000,
  shared: { fromMs: 0, toMs: 1_000 },
  skewMs: 0,
});

/** Named in MPEG-TS, but without its headers: nobody can decode it. */
const HEADLESS = "mpeg4";

/** Encoders of Debian's FFmpeg, the codec each makes, and whether only Flash's players knew it. */
const PICTURES = [
  ["libx264", "h264", false],
  ["libx265", "hevc", false],
  ["mpeg2video", "mpeg2video", false],
  ["mpeg1video", "mpeg1video", false],
  ["mpeg4", "mpeg4", false],
  ["libvpx", "vp8", false],
  ["libvpx-vp9", "vp9", false],
  ["libsvtav1", "av1", false],
  ["libtheora", "theora", false],
  ["mjpeg", "mjpeg", false],
  ["ffv1", "ffv1", false],
  ["flv1", "flv1", true],
] as const;
const SOUNDS = [
  ["aac", "aac", 48_000, false],
  ["aac", "aac", 22_050, false],
  ["libmp3lame", "mp3", 48_000, false],
  ["libmp3lame", "mp3", 44_100, false],
  ["libmp3lame", "mp3", 32_000, false],
  ["libmp3lame", "mp3", 24_000, false],
  ["libmp3lame", "mp3", 22_050, false],
  ["libmp3lame", "mp3", 16_000, false],
  ["libmp3lame", "mp3", 11_025, false],
  ["libmp3lame", "mp3", 8_000, false],
  ["mp2", "mp2", 48_000, false],
  ["ac3", "ac3", 48_000, false],
  ["eac3", "eac3", 48_000, false],
  ["dca", "dts", 48_000, false],
  ["truehd", "truehd", 48_000, false],
  ["libopus", "opus", 48_000, false],
  ["libvorbis", "vorbis", 48_000, false],
  ["flac", "flac", 48_000, false],
  ["alac", "alac", 48_000, false],
  ["pcm_s16le", "pcm_s16le", 44_100, true],
  ["libspeex", "speex", 16_000, true],
] as const;

const FORMATS: readonly OutputContainer[] = ["flv", "mpegts"];

/** Whether a receiver finds the codec again after FFmpeg has copied it into a container. */
const carried = async (
  made: string,
  codec: string,
  format: OutputContainer,
  kind: "v" | "a",
): Promise<boolean> => {
  const copy = `${made}.${format}`;
  const argv = ["-v", "error", "-y", "-i", made, "-c", "copy", "-f", format, copy];
  const { failed } = await execa("ffmpeg", argv, { reject: false, stdin: "ignore" });
  if (failed || statSync(copy).size === 0) return false;
  const ask = ["-v", "error", "-select_streams", kind, "-show_entries", "stream=codec_name"];
  const { stdout } = await execa("ffprobe", ask.concat("-of", "csv=p=0", copy), { reject: false });
  return stdout.split(/[\n,]/).includes(codec);
};

void t.test("the table says what the muxers do", async (test) => {
  const folder = test.testdir();
  const { stdout: encoders } = await execa("ffmpeg", ["-v", "quiet", "-encoders"]);
  const check = async (
    kind: "v" | "a",
    encoder: string,
    codec: string,
    rate: number,
    flash: boolean,
  ): Promise<void> => {
    if (!encoders.includes(` ${encoder} `)) return;
    const made = path.join(folder, `${encoder}-${rate}.mkv`);
    const source = kind === "v" ? "testsrc2=s=176x144:r=25:d=0.4" : `sine=r=${rate}:d=0.4`;
    const pixels = encoder === "mjpeg" ? "yuvj420p" : "yuv420p";
    const how = kind === "v" ? ["-c:v", encoder, "-pix_fmt", pixels] : ["-c:a", encoder];
    await execa(
      "ffmpeg",
      ["-v", "error", "-f", "lavfi", "-i", source].concat(how, ["-strict", "-2", made]),
      { stdin: "ignore" },
    );
    for (const format of FORMATS) {
      const told = kind === "v" ? media(codec, null) : media("h264", codec, rate);
      const real = await carried(made, codec, format, kind);
      const expected = (flash && format === "flv") || codec === HEADLESS ? false : real;
      const misfit = pictureMisfit(told, format, "it") ?? soundMisfit(told, format, "it");
      test.equal(misfit === null, expected, `${codec} ${rate} in ${format}: ${real}`);
    }
  };
  for (const [encoder, codec, flash] of PICTURES) await check("v", encoder, codec, 0, flash);
  for (const [encoder, codec, rate, flash] of SOUNDS) await check("a", encoder, codec, rate, flash);
});
