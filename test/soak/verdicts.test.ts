import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { readCommandLine } from "./command-line.ts";
import { DeliveryCount } from "./delivery.ts";
import { EventCount } from "./event-count.ts";
import type { Measured } from "./measured.ts";
import { planOf } from "./plan.ts";
import { type Rest, newSeries } from "./sampler.ts";
import { type Sample, growth, secondHalf } from "./statistics.ts";
import { newTally } from "./tally.ts";
import { verdicts } from "./verdicts.ts";

const MB = 1_048_576;

const samples = (of: (at: number) => number): Sample[] =>
  Array.from({ length: 600 }, (_, at) => ({ atMs: at * 1_000, value: of(at) }));

t.test("a collector's ups and downs are no growth, and a leak below them is", async (t) => {
  const sawtooth = (at: number): number => 100 + (at % 45) / 2;
  const still = growth(secondHalf(samples(sawtooth)));
  t.ok(Math.min(still.ends, still.line) < 3, JSON.stringify(still));
  const leaking = growth(secondHalf(samples((at) => sawtooth(at) + at / 30)));
  t.ok(Math.min(leaking.ends, leaking.line) > 5, JSON.stringify(leaking));
});

t.test("uptime is what the server received", async (t) => {
  const count = new DeliveryCount(100);
  const see = (atMs: number, bytesIn: number): void => count.see(atMs, { bytesIn });
  see(0, 0);
  see(1_000, 50_000);
  see(2_000, 150_000);
  // Trickling, then nobody, then a new publisher.
  see(3_000, 155_000);
  count.see(4_000, undefined);
  see(5_000, 90_000);
  t.same(count.delivery, { desiredMs: 4_000, deliveringMs: 2_000, longestSilenceMs: 2_000 });
});

t.test("a log is read on from where reading stopped", async (t) => {
  const home = mkdtempSync(path.join(os.tmpdir(), "sb-events-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const file = path.join(home, "log");
  const event = (level: string, name: string): string => `{"level":"${level}","event":"${name}"}\n`;
  writeFileSync(file, `${event("error", "FORCE_KILL_REQUIRED")}${event("info", "live")}{"level":`);
  const events = new EventCount(file);
  events.read();
  t.equal(events.errors.count, 0);
  appendFileSync(file, `"error","event":"storage"}\n${event("info", "live")}`);
  events.read();
  t.same(
    ["FORCE_KILL_REQUIRED", "live", "storage"].map((name) => events.of(name)),
    [1, 2, 1],
  );
  t.equal(events.errors.count, 1);
});

const rest = (atMs: number, changed: Partial<Rest> = {}): Rest => ({
  ...{ atMs, rss: 100 * MB, descriptors: 30, children: 0, zombies: 0 },
  ...{ ffmpegs: 1, files: 50, heap: 10 * MB, kinds: {}, ...changed },
});

/** One that meets every demand, but for what is changed. */
const seen = (changed: Partial<Measured> = {}): Measured => {
  const random = (): number => 0.5;
  const plan = planOf({ cycles: 1_000, hours: null, streams: 1, heap: true, random });
  const counts = { cycles: 1_000, starts: 1_000, started: 995, stops: 1_000, startMs: [1_000] };
  const delivery = { desiredMs: 100_000, deliveringMs: 99_950, longestSilenceMs: 50 };
  return {
    ...{ plan, tally: { ...newTally(), ...counts }, tookMs: 100_000, daemonCpuMs: 5_000 },
    series: newSeries(),
    rests: Array.from({ length: 10 }, (_, leg) => rest(leg)),
    steady: [{ name: "steady-0", delivery, cpuPercent: 0.7 }],
    ...{ forceKills: 0, errors: { count: 0, first: [] }, leftRunning: [], cutShort: false },
    ...{ ffmpegsLeft: 0, filesLeft: 0, ...changed },
  };
};

/** First words of the demands that are not met. */
const unmet = (changed: Partial<Measured>): string[] =>
  verdicts(seen(changed)).flatMap(({ metric, met }) =>
    met === false ? [metric.split(/[ :,]/)[0] ?? ""] : [],
  );

t.test("each demand is able to fail", async (t) => {
  const { tally, steady, rests } = seen();
  const [one] = steady;
  if (one === undefined) throw new Error("no steady stream");
  const last = (changed: Partial<Rest>): Measured["rests"] => [
    ...rests.slice(0, -1),
    rest(10, changed),
  ];
  t.same(unmet({}), []);
  t.same(unmet({ cutShort: true }), ["start/stop"]);
  t.same(unmet({ tally: { ...tally, started: 990 } }), ["starts"]);
  t.same(unmet({ forceKills: 10 }), ["stops"]);
  const short = { ...one.delivery, deliveringMs: 99_800 };
  t.same(unmet({ steady: [{ ...one, delivery: short }] }), ["uptime"]);
  t.same(unmet({ steady: [one, { ...one, cpuPercent: 11 }] }), ["CPU"]);
  const rising = rests.map((_, leg) => rest(leg, { rss: (100 + leg) * MB }));
  t.same(unmet({ rests: rising }), ["RSS"]);
  t.same(unmet({ rests: last({ heap: 12 * MB }) }), ["heap"]);
  t.same(unmet({ rests: last({ descriptors: 33 }) }), ["descriptors"]);
  t.same(unmet({ rests: last({ files: 53 }) }), ["files"]);
  for (const changed of [{ children: 1 }, { zombies: 1 }, { ffmpegs: 2 }])
    t.same(unmet({ rests: last(changed) }), ["children"]);
  t.same(unmet({ errors: { count: 1, first: ["x"] } }), ["errors"]);
  for (const changed of [{ filesLeft: 1 }, { ffmpegsLeft: 1 }, { leftRunning: ["x"] }])
    t.same(unmet(changed), ["left"]);
});

t.test("the command line", async (t) => {
  const none = { cycles: null, hours: null, streams: null, seed: null, json: null };
  t.same(readCommandLine([]), { ...none, heap: false, help: false });
  t.match(readCommandLine(["--hours", "0.5", "--cycles", "9"]), { hours: 0.5, cycles: 9 });
  for (const wrong of [["--hours", "0"], ["--cycles", "1.5"], ["--cycles=-1"], ["--what"], ["x"]])
    t.type(readCommandLine(wrong), "string", wrong.join(" "));
  const { random } = { random: () => 0.5 };
  const long = planOf({ cycles: null, hours: 24, streams: null, heap: false, random });
  t.match(long, { forMs: 86_400_000, cycles: Number.POSITIVE_INFINITY });
});
