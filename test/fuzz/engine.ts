import vm from "node:vm";
import { type Pump, type Random, mutated, pump, pumped } from "./mutate.ts";
import { isUnpolluted } from "./properties.ts";

/** A parser, and what must be so whatever it is given. */
export type Target = {
  readonly name: string;
  readonly samples: readonly (string | Buffer)[];
  /** Pieces of what it looks for: what to repeat where its time is looked at. */
  readonly words?: readonly string[];
  /** More than this its caller never hands it. */
  readonly mostBytes: number;
  /** Throws where something is not as it should be. */
  readonly check: (bytes: Buffer) => void | Promise<void>;
  /** Where its time is looked at: to where memory takes more of it than work. `mostBytes` unless told. */
  readonly timedBytes?: number;
  /** The parser alone, where its time is looked at; without one that is not. Not asynchronous. */
  readonly work?: (bytes: Buffer) => unknown;
  /** One try costs so many of a usual one; 1 unless told. */
  readonly cost?: number;
};

export type Finding = {
  readonly target: string;
  readonly input: Buffer;
  readonly why: string;
  /** Of what took too long: the piece that makes it so. */
  readonly pump?: Pump;
};

const buffers = (target: Target): readonly Buffer[] =>
  target.samples.map((sample) => (typeof sample === "string" ? Buffer.from(sample) : sample));

/** Why it failed; null where it did not. */
export const tried = async (target: Target, input: Buffer): Promise<string | null> => {
  try {
    await target.check(input);
    isUnpolluted();
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
};

/** The least of an input that still fails: halves, quarters and so on are left out in turn. */
export const minimised = async (target: Target, input: Buffer, most = 3_000): Promise<Buffer> => {
  let left = input;
  let tries = 0;
  for (let pieces = 2; pieces <= left.length * 2 && tries < most;) {
    const size = Math.ceil(left.length / pieces);
    let shorter: Buffer | null = null;
    for (let at = 0; at < left.length && shorter === null && tries < most; at += size) {
      const without = Buffer.concat([left.subarray(0, at), left.subarray(at + size)]);
      tries += 1;
      if ((await tried(target, without)) !== null) shorter = without;
    }
    if (shorter !== null) left = shorter;
    else if (size <= 1) break;
    else pieces *= 2;
    if (shorter !== null) pieces = Math.max(2, pieces - 1);
  }
  return left;
};

/** The samples as they are, then so many of them changed. */
export const fuzzed = async (
  target: Target,
  random: Random,
  times: number,
): Promise<Finding | null> => {
  const samples = buffers(target);
  const most = target.mostBytes;
  const look = async (input: Buffer): Promise<Finding | null> => {
    if ((await tried(target, input)) === null) return null;
    const least = await minimised(target, input);
    const why = await tried(target, least);
    return { target: target.name, input: least, why: why ?? "only now and then" };
  };
  for (const sample of samples) {
    const found = await look(sample);
    if (found !== null) return found;
  }
  for (let n = 0; n < times / (target.cost ?? 1); n += 1) {
    const found = await look(mutated(random, samples, most));
    if (found !== null) return found;
  }
  return null;
};

/** So many inputs as long as they can be, that say one thing again and again. */
export const flooded = async (
  target: Target,
  random: Random,
  times: number,
): Promise<Finding | null> => {
  const samples = buffers(target);
  for (let n = 0; n < times / (target.cost ?? 1); n += 1) {
    const pumps = pump(random, samples, target.words ?? []);
    const why = await tried(target, pumped(pumps, target.mostBytes));
    if (why !== null) return { target: target.name, input: pumped(pumps, 64), why, pump: pumps };
  }
  return null;
};

/** Longer than this, nothing is waited for. */
const GIVE_UP_MS = 3_000;
/** Below this a ratio of two times says nothing. */
const NOISE_MS = 12;
/** Twice the input: twice the time, and some room for the machine's moods; a square takes four times. */
const MOST_RATIO = 2.9;

/** What this thread has worked, in milliseconds: a busy machine takes no part in it. */
const worked = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** The shortest of some tries, in milliseconds; infinite where it does not come back. */
const timeOf = (
  work: (bytes: Buffer) => unknown,
  input: Buffer,
  tries: number,
  giveUpMs: number,
): number => {
  let least = Infinity;
  for (let n = 0; n < tries; n += 1) {
    const began = worked();
    try {
      // The one way to get out of a regular expression that never ends.
      vm.runInNewContext("work()", { work: () => work(input) }, { timeout: giveUpMs });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // On a busy machine the time may be over with little of it had: that tells nothing.
      if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
        return worked() - began > giveUpMs / 10 ? Infinity : 0;
    }
    least = Math.min(least, worked() - began);
    if (least > 300) break;
  }
  return least;
};

/** Whether twice the input takes more than twice the time, twice running; and why one would say so. */
export const slowness = (target: Target, pumps: Pump, giveUpMs = GIVE_UP_MS): string | null => {
  const { work, timedBytes = target.mostBytes } = target;
  if (work === undefined) return null;
  const times: number[] = [];
  for (let bytes = 32; bytes <= timedBytes; bytes *= 2) {
    const input = pumped(pumps, bytes);
    let ms = timeOf(work, input, 1, giveUpMs);
    if (ms > NOISE_MS && ms < Infinity) ms = Math.min(ms, timeOf(work, input, 4, giveUpMs));
    times.push(ms);
    const [first = 0, second = 0, third = 0] = times.slice(-3);
    if (third === Infinity) return `it takes for ever with ${bytes} bytes`;
    const isSquare = second > first * MOST_RATIO && third > second * MOST_RATIO;
    if (third > NOISE_MS && first > 1 && isSquare)
      return `${bytes / 4}, ${bytes / 2} and ${bytes} bytes take ${[first, second, third].map((one) => one.toFixed(1)).join(", ")} ms`;
  }
  return null;
};

/** So many inputs that repeat themselves, each doubled until it is as long as it can be. */
export const timed = (target: Target, random: Random, times: number): Finding | null => {
  if (target.work === undefined) return null;
  const samples = buffers(target);
  for (let n = 0; n < times / (target.cost ?? 1); n += 1) {
    const pumps = pump(random, samples, target.words ?? []);
    const why = slowness(target, pumps);
    if (why === null) continue;
    // Once more, on another moment: a busy machine is no finding.
    if (slowness(target, pumps) === null) continue;
    return { target: target.name, input: pumped(pumps, 64), why, pump: pumps };
  }
  return null;
};
