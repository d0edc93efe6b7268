import t from "tap";
import { command } from "../helpers/command.ts";
import path from "node:path";
import { seeded } from "../helpers/seeded.ts";
import { shortPlan } from "../soak/plan.ts";
import { soak } from "../soak/soak.ts";
import { verdicts } from "../soak/verdicts.ts";

const CYCLES = 30;
const MB = 1_048_576;

/**
 * The short form: as many starts and stops as a stream sees in weeks. The long form, at the pace of real
 * use, is `npm run soak -- --hours 24`.
 */
t.test("Test memory usage over 24 hours", { timeout: 200_000 }, async (t) => {
  const { seed, random } = seeded();
  t.comment(`seed ${seed}`);
  const seen = await soak(shortPlan(CYCLES, random), new AbortController().signal);
  const rows = verdicts(seen);
  for (const { metric, measured } of rows) t.comment(`${metric}: ${measured}`);

  t.ok(seen.tally.cycles >= CYCLES);
  t.same([...seen.tally.failures], [], "every start succeeds");
  const [half, end] = seen.rests;
  t.equal(seen.rests.length, 2);
  const heap = (end?.heap ?? Number.NaN) - (half?.heap ?? 0);
  t.ok(heap < 2 * MB, `what a collection leaves has grown by ${heap} bytes`);
  t.ok((end?.descriptors ?? 999) <= (half?.descriptors ?? 0) + 2, "descriptors");
  t.match(end, { children: 0, zombies: 0, ffmpegs: seen.plan.streams });
  t.equal(end?.files, half?.files, "files of stopped streams do not pile up");
  t.same(seen.errors.first, []);
  const { leftRunning, ffmpegsLeft, filesLeft } = seen;
  t.same(
    { leftRunning, ffmpegsLeft, filesLeft },
    { leftRunning: [], ffmpegsLeft: 0, filesLeft: 0 },
  );
});

t.test("the long form exists", async (t) => {
  const main = path.resolve(import.meta.dirname, "../soak/main.ts");
  const soakWith = async (...args: string[]): ReturnType<typeof command> =>
    command(process.execPath, [main, ...args]);
  t.match(await soakWith("--help"), { code: 0, stdout: /--hours H .*24/ });
  t.match(await soakWith("--hours", "a day"), {
    code: 2,
    stderr: /--hours takes a number.*"a day"/,
  });
});
