import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { output } from "./command.ts";

export type FilmOptions = {
  readonly seconds?: number;
  /** Frames from one keyframe to the next. */
  readonly gop?: number;
  readonly fps?: number;
  readonly bframes?: number;
  /** Width by height. */
  readonly size?: string;
  /** Sample rate of the AAC track, or none. */
  readonly audio?: 44_100 | 48_000 | "none";
  /** Where it differs from the picture's. */
  readonly audioSeconds?: number;
};

const GIVEN = path.resolve(import.meta.dirname, "../../../shared/media/film.mp4");

const X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -sc_threshold 0".split(" ");

let directory: string | undefined;

/** One directory a test run where its runner gave one, else one a process, removed at its end. */
const filmDirectory = (): string => {
  if (directory !== undefined) return directory;
  const shared = process.env["STREAMBRO_TEST_CACHE"];
  if (shared === undefined || shared === "") {
    const own = mkdtempSync(path.join(os.tmpdir(), "sb-film-"));
    process.once("exit", () => rmSync(own, { recursive: true, force: true }));
    directory = own;
    // Other users' streams play them too.
    chmodSync(own, 0o755);
  } else {
    mkdirSync(shared, { recursive: true });
    directory = shared;
  }
  return directory;
};

/** Path of an MP4 of H.264 with B-frames and, unless left out, AAC; made once for each set of options. */
export const renderFilm = async ({
  seconds = 10,
  gop = 50,
  fps = 25,
  bframes = 2,
  size = "320x180",
  audio = 48_000,
  audioSeconds = seconds,
}: FilmOptions = {}): Promise<string> => {
  const name = `${size}-${seconds}s-${fps}fps-g${gop}-b${bframes}-${audio}-${audioSeconds}s.mp4`;
  const target = path.join(filmDirectory(), name);
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}.mp4`;
  const picture = `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`;
  // Noise, so that no two packets are alike.
  const sound = `anoisesrc=color=pink:amplitude=0.2:seed=7:sample_rate=${audio}:duration=${audioSeconds}`;
  const lavfi = ["-f", "lavfi", "-i"];
  const heard = audio === "none" ? [] : [...lavfi, sound, "-c:a", "aac", "-b:a", "96k"];
  const seen = ["-bf", `${bframes}`, "-g", `${gop}`, "-keyint_min", `${gop}`, ...X264];
  await output("ffmpeg", ["-v", "error", "-y", ...lavfi, picture, ...heard, ...seen, draft]);
  renameSync(draft, target);
  return target;
};

/** The film that the checkout's surroundings provide, where they do, else a rendered one of ten seconds. */
export const film = async (): Promise<string> => (existsSync(GIVEN) ? GIVEN : renderFilm());
