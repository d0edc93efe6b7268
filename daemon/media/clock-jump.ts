import { type Input, looking, openableName } from "../reach/input.ts";
import { runBounded } from "./bounded.ts";
import { LOOK_MS } from "./packets.ts";

const BLOCK = 256 * 1024;

/** Blocks looked at, spread over the file: a few megabytes of the longest film. */
const MOST_BLOCKS = 24;

const TICKS_A_SECOND = 90_000;

/** Both clocks have 33 bits, and begin anew after 26.5 hours: that is no jump. */
const WRAP = 2 ** 33;

/** A multiplexer may be this careless. */
const LEAST_JUMP = TICKS_A_SECOND;

/** Where to look in a file of so many bytes, in blocks: everywhere in a small one. */
const blocksOf = (sizeBytes: number): readonly number[] => {
  const all = Math.ceil(sizeBytes / BLOCK);
  const looks = Math.min(all, MOST_BLOCKS);
  return Array.from({ length: looks }, (_, look) => Math.floor((look * all) / looks));
};

/** One process for all of them, on a disk that may not answer. */
const READ = `file=$1; shift; for at; do dd if="$file" bs=${BLOCK} skip="$at" count=1 status=none || exit; done`;

/**
 * Whether the clock of an MPEG transport or program stream steps back in it, as after recordings were
 * joined byte by byte. FFmpeg then finds the length of the last of them only, and plays the others'
 * times over it. What cannot be read, or has no clock, is not held against the film.
 */
export const clockJumpsBack = async (
  input: Input,
  container: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<boolean> => {
  if (!CLOCKS.has(container)) return false;
  const blocks = blocksOf(sizeBytes);
  const command = ["sh", "-c", READ, "sh", openableName(input), ...blocks.map(String)] as const;
  const { stdout } = await runBounded(input.path, looking(input, command), {
    withinMs: LOOK_MS,
    mostBytes: (MOST_BLOCKS + 1) * BLOCK,
    signal,
  });
  // Blocks side by side are one piece: a packet may lie across their border.
  const isWhole = blocks.length < MOST_BLOCKS;
  const pieces = isWhole
    ? [stdout]
    : blocks.map((_, n) => stdout.subarray(n * BLOCK, (n + 1) * BLOCK));
  return stepsBack(pieces.flatMap((piece) => clocksIn(container, piece)));
};

/** One reading of a clock; a transport stream may hold several clocks, told apart by `id`. */
export type Reading = { readonly id: number; readonly ticks: number };

export const stepsBack = (readings: readonly Reading[]): boolean => {
  const last = new Map<number, number>();
  for (const { id, ticks } of readings) {
    const back = ((last.get(id) ?? ticks) - ticks + WRAP) % WRAP;
    if (back > LEAST_JUMP && back < WRAP / 2) return true;
    last.set(id, ticks);
  }
  return false;
};

/** Lengths of a packet: plain, behind a time stamp (M2TS), before a checksum. */
const STRIDES = [188, 192, 204];
const SYNC = 0x47;

/** Where packets begin in a piece, and how far apart. */
const packetsOf = (piece: Buffer): { readonly from: number; readonly stride: number } | null => {
  for (let from = 0; from < 204; from++)
    for (const stride of STRIDES)
      if ([0, 1, 2, 3, 4].every((n) => piece[from + n * stride] === SYNC)) return { from, stride };
  return null;
};

/** The program clock references of a transport stream, without their finer part. */
const transportClocks = (piece: Buffer): readonly Reading[] => {
  const found = packetsOf(piece);
  if (found === null) return [];
  const readings: Reading[] = [];
  for (let at = found.from; at + 11 <= piece.length; at += found.stride) {
    // An adaptation field that is long enough, and says that it holds a clock.
    const isClock =
      piece[at] === SYNC &&
      (piece.readUInt8(at + 3) & 0x20) !== 0 &&
      piece.readUInt8(at + 4) >= 7 &&
      (piece.readUInt8(at + 5) & 0x10) !== 0;
    if (!isClock) continue;
    const ticks = piece.readUInt32BE(at + 6) * 2 + (piece.readUInt8(at + 10) >> 7);
    readings.push({ id: piece.readUInt16BE(at + 1) & 0x1fff, ticks });
  }
  return readings;
};

const PACK = Buffer.from([0, 0, 1, 0xba]);

/** The system clock references of a program stream, of MPEG-1 or MPEG-2. */
const programClocks = (piece: Buffer): readonly Reading[] => {
  const readings: Reading[] = [];
  for (let at = piece.indexOf(PACK); at >= 0 && at + 9 <= piece.length;) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = piece.subarray(at + 4, at + 9);
    const high = (a & 0xc0) === 0x40 ? ((a & 0x38) >> 1) | (a & 3) : (a & 0x0e) >> 1;
    const ticks =
      (a & 0xc0) === 0x40
        ? high * 2 ** 28 + b * 2 ** 20 + (((c & 0xf8) >> 1) | (c & 3)) * 2 ** 13 + d * 32 + (e >> 3)
        : high * 2 ** 30 + b * 2 ** 22 + (c >> 1) * 2 ** 15 + d * 128 + (e >> 1);
    readings.push({ id: 0, ticks });
    at = piece.indexOf(PACK, at + 4);
  }
  return readings;
};

const CLOCKS: ReadonlyMap<string, (piece: Buffer) => readonly Reading[]> = new Map([
  ["mpegts", transportClocks],
  ["mpeg", programClocks],
]);

/** A container's clocks in a piece of it; none where it has no clock. */
export const clocksIn = (container: string, piece: Buffer): readonly Reading[] =>
  CLOCKS.get(container)?.(piece) ?? [];
