import t from "tap";
import { seeded } from "../helpers/seeded.ts";
import { CATALOGUE } from "./catalogue.ts";
import { readCommandLine } from "./command-line.ts";
import { type Target, flooded, fuzzed, minimised, slowness, timed, tried } from "./engine.ts";
import { mutated } from "./mutate.ts";
import { SECRET, isClean, isKept, isNumber } from "./properties.ts";
import { findingLines } from "./report.ts";

const { random } = seeded(1);
const samples = ["name=radio rate=12\n", `key=${SECRET}\n`];
const target = (check: Target["check"], more: Partial<Target> = {}): Target => ({
  ...{ name: "made up", samples, mostBytes: 4_096, check },
  ...more,
});
const text = (bytes: Buffer): string => bytes.toString("utf8");

t.test("each kind of mistake is found, in a parser that makes it", async (t) => {
  const bad: Readonly<Record<string, Target["check"]>> = {
    "it throws": (bytes) => void decodeURIComponent(text(bytes)),
    "it shows control characters": (bytes) => isClean(text(bytes).replaceAll("\n", ""), "it"),
    "it takes a number that is none": (bytes) =>
      isNumber(Number(/rate=(\S+)/.exec(text(bytes))?.[1] ?? 0), "the rate", 0),
    "it gives a key away": (bytes) => isKept(text(bytes), "it"),
    "it rejects later": async (bytes) => {
      await Promise.resolve();
      if (text(bytes).includes("__proto__")) throw new TypeError("no such thing");
    },
  };
  for (const [what, check] of Object.entries(bad)) {
    const found = await fuzzed(target(check), random, 5_000);
    t.ok(found, what);
    t.ok((found?.input.length ?? 99) < 30, `${found?.input.length} bytes are left of it`);
  }
  t.equal(
    await fuzzed(
      target(() => {}),
      random,
      500,
    ),
    null,
    "and none where there is none",
  );
});

t.test("what every object inherits is watched", async (t) => {
  const polluting = target(() => void Reflect.set(Object.prototype, "polluted", 1));
  try {
    t.match(await tried(polluting, Buffer.from("x")), /inherits/);
  } finally {
    Reflect.deleteProperty(Object.prototype, "polluted");
  }
});

t.test("what takes ever longer is found, also where it would never end", async (t) => {
  const square = target(() => {}, {
    ...{ words: ["no ", "no no "], mostBytes: 1 << 15 },
    work: (bytes) => /no .*found/.test(text(bytes)),
  });
  t.match(timed(square, random, 40)?.why, /bytes take/);
  const forEver = target(() => {}, { work: (bytes) => /^(?:a+)+$/.test(text(bytes)) });
  const pumps = { head: Buffer.from("a"), piece: Buffer.from("a"), tail: Buffer.from("!") };
  t.match(slowness(forEver, pumps, 800), /for ever|take/);
  const plain = target(() => {}, {
    mostBytes: 1 << 17,
    work: (bytes) => text(bytes).split("\n").length,
  });
  t.equal(timed(plain, random, 5), null);
});

t.test("what fails only where it is long is found", async (t) => {
  const spread = target((bytes) => void Math.max(...bytes), { mostBytes: 1_000_000 });
  t.match((await flooded(spread, random, 2))?.why, /RangeError/);
});

t.test("an input is made as short as it can be", async (t) => {
  const both = target((bytes) => {
    if (text(bytes).includes("a") && text(bytes).includes("z")) throw new Error("both");
  });
  const long = Buffer.from(`${"x".repeat(500)}a${"x".repeat(500)}z${"x".repeat(99)}`);
  t.equal(text(await minimised(both, long)), "az");
  const line = findingLines({ target: "a", input: Buffer.from("a\u009B\n"), why: "so" })[1];
  t.equal(line, String.raw`  Buffer.from("a\u009b\n")`, "and told as a line of source");
  t.match(findingLines({ target: "a", input: Buffer.from([255]), why: "so" })[1], /"ff", "hex"/);
});

t.test("a seed repeats everything", async (t) => {
  const some = (seed: number): string[] => {
    const again = seeded(seed).random;
    return Array.from({ length: 50 }, () =>
      mutated(again, [Buffer.from("a=1")], 99).toString("hex"),
    );
  };
  t.same(some(5), some(5));
  t.notSame(some(5), some(6));
});

t.test("the command line", async (t) => {
  const known = CATALOGUE.map(({ name }) => name);
  t.equal(new Set(known).size, known.length, "no name twice");
  t.match(readCommandLine(["--seconds", "5", "--seed", "7"], known), { seconds: 5, seed: 7 });
  for (const wrong of [["--seconds", "0"], ["--seed", "x"], ["--only", "nothing"], ["--what"]])
    t.type(readCommandLine(wrong, known), "string", wrong.join(" "));
});
