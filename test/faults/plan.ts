import { seeded } from "../helpers/seeded.ts";
import type { Fault } from "./fault.ts";
import type { Kind } from "./target.ts";

export type PlannedRound = {
  readonly number: number;
  readonly fault: Fault;
  /** How many streams, where the fault takes streams. */
  readonly streams: number;
};

/** What one run does. */
export type Plan = {
  readonly seed: number;
  readonly kinds: readonly Kind[];
  /** Settings of the daemon, by their names in the environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly rounds: readonly PlannedRound[];
  /** What a time for which a fault is held is multiplied with. */
  readonly haste: number;
  /** State and runs get a file system of their own, where that is allowed. */
  readonly smallDisks: boolean;
  /** Generated JSON-RPC messages, over all rounds. */
  readonly messages: number;
};

type Wanted = {
  readonly seed: number;
  readonly rounds: number;
  readonly messages: number;
  readonly only: readonly string[];
  readonly catalogue: readonly Fault[];
  readonly isShort: boolean;
};

const KINDS: readonly Kind[] = [
  ...(["copy", "copy", "copy", "copy", "silence", "silence", "encode", "srt"] as const),
];
const SHORT_KINDS: readonly Kind[] = ["copy", "copy", "silence", "srt"];

/** Rounds that need the stage for themselves come at the end of each so many. */
const BLOCK = 24;

const SETTINGS = {
  // Its failures are forgotten by the time that the next round comes to a stream.
  RETRY_RESET_MS: "2000",
  INPUT_RETRY_MS: "5000",
};
const SHORT_SETTINGS = {
  ...SETTINGS,
  RETRY_RESET_MS: "1000",
  RETRY_MAX_MS: "1000",
  RETRY_MAX_LATER_MS: "2000",
};

/** A generator for one thing of a run, which the others do not disturb. */
export const randomFor = (seed: number, number: number): (() => number) => {
  const { random } = seeded(((seed + number * 7_919) % 2_147_483_646) + 1);
  // Near seeds begin near each other.
  for (let n = 0; n < 5; n += 1) random();
  return random;
};

export const planOf = (wanted: Wanted): Plan => {
  const { seed, catalogue, only, isShort, messages } = wanted;
  const random = randomFor(seed, 0);
  const allowed = catalogue.filter(({ name, isLong }) =>
    only.length === 0 ? !(isShort && isLong === true) : only.includes(name),
  );
  const drawn = isShort && only.length === 0 ? shuffled(allowed, random) : [];
  const numbers = Array.from({ length: wanted.rounds }, (_, at) => at);
  const chosen = numbers.map((at): Omit<PlannedRound, "number"> => {
    const fault = drawn[at % Math.max(1, drawn.length)] ?? weighted(allowed, random());
    const most = typeof fault.takes === "number" ? fault.takes : 0;
    return { fault, streams: most === 0 ? 0 : 1 + Math.floor(random() * most) };
  });
  const rounds = numbers
    .filter((at) => at % BLOCK === 0)
    .flatMap((from) => {
      const block = chosen.slice(from, from + BLOCK);
      const alone = block.filter(({ fault }) => fault.takes === "all");
      return [...block.filter(({ fault }) => fault.takes !== "all"), ...alone];
    })
    .map((round, at) => ({ ...round, number: at + 1 }));
  return {
    ...{ seed, rounds, messages, smallDisks: true },
    kinds: isShort ? SHORT_KINDS : KINDS,
    settings: isShort ? SHORT_SETTINGS : SETTINGS,
    haste: isShort ? 0.12 : 1,
  };
};

const weighted = (of: readonly Fault[], random: number): Fault => {
  let left = random * of.reduce((sum, { weight }) => sum + weight, 0);
  const found = of.find(({ weight }) => (left -= weight) < 0) ?? of.at(-1);
  if (found === undefined) throw new Error("there is no fault to inflict");
  return found;
};

const shuffled = <T>(of: readonly T[], random: () => number): T[] =>
  of
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
