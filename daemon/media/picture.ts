import type { Encoding } from "../../shared/contract/spec.ts";
import type { MediaInfo } from "./media-info.ts";

/** How a picture is made ready for an encoder, and how much it is given. */
export type Picture = {
  /** FFmpeg's filters, in order; an encoder may want some more behind them. */
  readonly filters: readonly string[];
  readonly width: number;
  readonly height: number;
  /** Frames a second, constant. */
  readonly fps: number;
  readonly videoKbps: number;
};

type Rate = { readonly fps: number; readonly text: string };

const ntsc = (whole: number): Rate => ({ fps: (whole * 1000) / 1001, text: `${whole}000/1001` });
const plain = (fps: number): Rate => ({ fps, text: String(fps) });

/** What players and platforms expect. Slower ones are there for slides, which need no 24. */
const USUAL: readonly Rate[] = [
  ...[10, 12, 15, 20].map(plain),
  ntsc(24),
  ...[24, 25].map(plain),
  ntsc(30),
  ...[30, 48, 50].map(plain),
  ntsc(60),
  plain(60),
];

/** The usual rate that it is, but for rounding; else the next one above, so that no picture is lost. */
const usual = (fps: number): Rate => {
  const wanted = fps > 60.5 ? fps / 2 : fps;
  const nearest = nearestTo(wanted);
  if (Math.abs(nearest.fps - wanted) < wanted * 0.005) return nearest;
  return USUAL.find((rate) => rate.fps >= wanted) ?? plain(60);
};

const nearestTo = (fps: number): Rate =>
  USUAL.reduce((best, rate) => (Math.abs(rate.fps - fps) < Math.abs(best.fps - fps) ? rate : best));

/** A rate as an operator gave it: 29.97 means 30000/1001. */
const given = (fps: number): Rate => {
  const nearest = nearestTo(fps);
  return Math.abs(nearest.fps - fps) < 0.01 ? nearest : plain(fps);
};

const FULL_HD = 1920 * 1080;

/** About what the platforms recommend: 4,500 kbit/s for 1080p30, 2,500 for 720p30, half more at 60. */
const usualKbps = (width: number, height: number, fps: number): number => {
  const still = 4_500 * ((width * height) / FULL_HD) ** 0.725;
  const kbps = still * (1 + Math.max(0, fps - 30) / 60);
  return Math.min(12_000, Math.max(300, Math.round(kbps / 50) * 50));
};

/** By how much a player turns the picture clockwise, as filters that do it here. */
const TURNS: Readonly<Record<number, readonly string[]>> = {
  90: ["transpose=clock"],
  180: ["hflip", "vflip"],
  270: ["transpose=cclock"],
};

const even = (length: number): number => Math.max(2, Math.floor(length / 2) * 2);

/** Larger than this, a processor of two or four cores does not keep up, and hardly any platform takes it. */
const LARGEST = { long: 1920, short: 1080 };

/** A size that nobody chose: the picture's own, or as much of it as is usual. */
const ownSize = (width: number, height: number): { width: number; height: number } => {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  const share = Math.min(1, LARGEST.long / long, LARGEST.short / short);
  return { width: even(width * share), height: even(height * share) };
};

/** Whole and undistorted within a frame of this size, black around it. */
const fitted = (width: number, height: number): readonly string[] => [
  `scale=${width}:${height}:force_original_aspect_ratio=decrease:force_divisible_by=2`,
  `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`,
];

/** What becomes of a film's picture when it is encoded, with what an operator said about that. */
export const pictureOf = (
  video: MediaInfo["video"],
  { width, height, fps, videoKbps }: Encoding,
): Picture => {
  const turn = video.rotation ?? 0;
  const lying = turn === 90 || turn === 270;
  // Points that are not square would look squeezed: what comes out has square ones.
  const wide = even(video.width * video.pixelAspect);
  const [ownWidth, ownHeight] = lying ? [video.height, wide] : [wide, video.height];
  const isOdd = video.width % 2 === 1 || video.height % 2 === 1;
  const rate = fps === null ? usual(1000 / video.frameMs) : given(fps);
  const size = width === null || height === null ? ownSize(ownWidth, ownHeight) : { width, height };
  const isShrunk = size.width < even(ownWidth) || size.height < even(ownHeight);
  const asItIs = isOdd ? ["crop=trunc(iw/2)*2:trunc(ih/2)*2"] : [];
  const filters = [
    ...(video.interlaced ? ["yadif=deint=interlaced"] : []),
    ...(video.pixelAspect === 1 ? [] : ["scale=trunc(iw*sar/2)*2:ih"]),
    ...(TURNS[turn] ?? []),
    ...(width === null || height === null
      ? isShrunk
        ? [`scale=${size.width}:${size.height}`]
        : asItIs
      : fitted(width, height)),
    "setsar=1",
    `fps=${rate.text}`,
  ];
  const kbps = videoKbps ?? usualKbps(size.width, size.height, rate.fps);
  return { ...size, filters, fps: rate.fps, videoKbps: kbps };
};
