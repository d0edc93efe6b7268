import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { plainEnvironment } from "../helpers/environment.ts";
import { killAll, withVariable } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { Checker } from "./checker.ts";
import { locksOf } from "./own-processes.ts";
import type { Plan } from "./plan.ts";
import { setStage } from "./stage.ts";
import { type Invariant, Violations } from "./violations.ts";

const plan: Plan = {
  ...{ seed: 1, kinds: ["copy"], rounds: [], haste: 0, messages: 0 },
  smallDisks: false,
  settings: {},
};

/** A process that nobody waits for, with these words and this environment. */
const orphan = (words: readonly string[], env: NodeJS.ProcessEnv): void => {
  const argv = ["-c", 'setsid sh -c "sleep 60; :" "$@" &', "sh", ...words];
  spawn("sh", argv, { stdio: "ignore", env: { ...plainEnvironment(), ...env } });
};

t.test("what must never happen is seen where it happens", { timeout: 60_000 }, async (t) => {
  const violations = new Violations(() => {});
  const stage = await setStage(plan, violations, () => {});
  t.teardown(() => stage.end());
  const { daemon, decoy, targets, expectations } = stage;
  const [target] = targets;
  const key = target?.key ?? "";
  const of = (invariant: Invariant): string[] =>
    violations.all.flatMap((one) => (one.invariant === invariant ? [one.evidence] : []));
  const broken = async (invariant: Invariant, evidence: RegExp): Promise<void> => {
    await until(
      `${invariant}: ${evidence}`,
      () => of(invariant).some((one) => evidence.test(one)),
      20_000,
    );
    t.pass(`${invariant}: ${evidence}`);
  };
  for (const { name } of targets) expectations.inflict(name);
  const checker = new Checker(stage, 1_000);
  t.teardown(() => checker.stop());
  await until("some looks", () => checker.looks > 8, 10_000);
  t.same(violations.all, [], "nothing is seen where nothing happens");

  const marker = path.join(locksOf(stage), "copy-0");
  t.teardown(() => killAll(withVariable("FAULTS_TEST", marker)));
  orphan([], { STREAMBRO_RUN: marker, FAULTS_TEST: marker });
  orphan([key], { STREAMBRO_RUN: marker, FAULTS_TEST: marker });
  await broken("one-publisher", /copy-0: \d+ .* and \d+/);
  await broken("no-leak", /command line/);
  writeFileSync(path.join(daemon.stateDir, "logs/copy-0.log"), `rtmp://h/live/${key}\n`);
  await broken("no-leak", /copy-0\.log/);
  writeFileSync(path.join(daemon.runtimeDir, "output-0.ffpreset"), key, { mode: 0o644 });
  await broken("no-leak", /has mode 644/);
  process.kill(decoy.pid(), "SIGTERM");
  await broken("no-foreign-signal", /SIGTERM/);
  for (const { name } of targets) expectations.lift(name, 0);
  await broken("on-the-air", /copy-0: not on the air/);
  for (const { name } of targets) expectations.recovered(name);
  await broken("undisturbed", /copy-0: no byte/);
  await broken("no-stray", /there is no such stream/);
  await daemon.kill("SIGKILL");
  await broken("daemon-alive", /ended by itself/);
});
