import path from "node:path";
import t from "tap";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { seeded } from "../helpers/seeded.ts";
import { RTMP, type Fault } from "./fault.ts";
import { CATALOGUE } from "./catalogue.ts";
import { readCommandLine } from "./command-line.ts";
import { DaemonTimes, Expectations } from "./expectations.ts";
import { planOf } from "./plan.ts";
import { Violations } from "./violations.ts";

const main = path.join(import.meta.dirname, "main.ts");
const names = CATALOGUE.map(({ name }) => name);

/** In a name space of its own where that is allowed: no mount outlives the run. */
const run = async (...args: string[]): ReturnType<typeof command> => {
  const argv = [process.execPath, main, ...args];
  const own = ["unshare", "--mount", "--propagation", "private"];
  const may = await command("unshare", [...own.slice(1), "true"]).catch(() => null);
  const [program = "", ...rest] = may?.code === 0 ? [...own, ...argv] : argv;
  return command(program, rest, { env: plainEnvironment(), timeoutMs: 220_000 });
};

t.test(
  "random faults on real streams, and nothing that must never happen",
  { timeout: 230_000 },
  async (t) => {
    const { seed } = seeded();
    const { code, stdout, stderr } = await run("--short", "--seed", String(seed));
    t.comment(`seed ${seed}`);
    t.equal(
      code,
      0,
      `nothing is broken; to repeat it: npm run test:faults -- --short --seed ${seed}`,
      {
        printed: `${stdout}${stderr}`.split("\n").filter((line) => !line.startsWith("never")),
      },
    );
  },
);

t.test("what is asked of the command is read strictly", async (t) => {
  t.match(readCommandLine(["--rounds", "3", "--only", "kill-ffmpeg"], names), {
    ...{ rounds: 3, only: ["kill-ffmpeg"], seed: null },
  });
  for (const wrong of [["--rounds", "0"], ["--seed", "x"], ["--only", "rain"], ["--loud"], ["x"]])
    t.type(readCommandLine(wrong, names), "string", wrong.join(" "));
});

const nothing: Omit<Fault, "name" | "takes"> = {
  ...{ daemon: false, weight: 1, kinds: RTMP },
  inflict: async () => ({ detail: "", boundMs: 0 }),
};

t.test(
  "a seed repeats a plan; what needs the stage for itself comes at the end of its block",
  async (t) => {
    const catalogue: Fault[] = [
      { ...nothing, name: "two", takes: 2 },
      { ...nothing, name: "all", takes: "all" },
    ];
    const of = (seed: number) =>
      planOf({ seed, rounds: 24, messages: 1, only: [], catalogue, isShort: false }).rounds.map(
        ({ fault, streams }) => `${fault.name} ${streams}`,
      );
    t.same(of(5), of(5));
    t.notSame(of(5), of(6));
    t.same(
      of(5),
      of(5).toSorted((a, b) => b.split(" ")[0]?.localeCompare(a.split(" ")[0] ?? "") ?? 0),
    );
  },
);

t.test(
  "a stream is late only after its bound, and a daemon that was away begins anew",
  async (t) => {
    const times = new DaemonTimes();
    const expectations = new Expectations(times);
    t.ok(expectations.isUndisturbed("a"));
    expectations.inflict("a");
    const far = performance.now() + 1e6;
    t.equal(expectations.lateBy("a", far, 0), null, "not while it is inflicted");
    expectations.lift("a", 1_000);
    t.ok(expectations.lateBy("a", far, 0));
    t.equal(expectations.lateBy("a", far, 1e7), null, "a busy machine is allowed for");
    const back = times.away();
    t.equal(expectations.lateBy("a", far, 0), null, "nobody is there to do it");
    back();
    t.ok(expectations.lateBy("a", far, 0));
    expectations.recovered("a");
    t.equal(expectations.lateBy("a", far, 0), null);
  },
);

t.test("every breach is counted, and told a few times", async (t) => {
  const told: string[] = [];
  const violations = new Violations(({ evidence }) => told.push(evidence));
  for (let n = 0; n < 10; n += 1) violations.broken("no-leak", `in ${n}`, "the same");
  violations.broken("no-leak", "elsewhere");
  t.equal(violations.counts.get("no-leak"), 11);
  t.same(told, ["in 0", "in 1", "in 2", "elsewhere"]);
});
