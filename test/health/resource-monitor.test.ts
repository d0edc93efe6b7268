import { spawn } from "node:child_process";
import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import t from "tap";
import { systemClock } from "../../daemon/clock/clock.ts";
import type { StreamSpec } from "../../shared/contract/spec.ts";
import { respondTo } from "../../daemon/health/breach.ts";
import { type Measure, type Measured, measurer } from "../../daemon/health/measure.ts";
import { type Finding, ResourceMonitor } from "../../daemon/health/resource-monitor.ts";
import { AT_EASE, type Verdict, judge } from "../../daemon/health/thresholds.ts";
import type { Log } from "../../daemon/log/log.ts";
import type { Metrics } from "../../daemon/metrics/metrics.ts";
import type { Stream } from "../../daemon/supervisor/stream.ts";
import { output } from "../helpers/command.ts";
import { until } from "../helpers/until.ts";

const MIB = 1_048_576;
const LIMITS = { cpuPercent: 80, memoryMb: 500, breachMs: 60_000 };

t.test("crossing a threshold: said once, cleared once, acted on once", async (t) => {
  type Look = readonly [at: number, cpu: number, mib: number, expected: readonly Verdict[]];
  const rows: readonly (readonly [string, readonly Look[], number])[] = [
    ["never", [[0, 80, 500, []]], 0],
    ["CPU", [[0, 81, 10, ["warn"]]], 1],
    ["memory", [[0, 1, 501, ["warn"]]], 1],
    ["both at once are one", [[0, 90, 501, ["warn"]]], 1],
    [
      "not every tick",
      [
        [0, 90, 1, ["warn"]],
        [1, 90, 1, []],
        [2, 90, 1, []],
      ],
      1,
    ],
    [
      "it clears well below",
      [
        [0, 90, 1, ["warn"]],
        [1, 73, 1, []],
        [2, 72, 1, ["clear"]],
      ],
      1,
    ],
    [
      "when both are",
      [
        [0, 90, 600, ["warn"]],
        [1, 1, 600, []],
        [2, 1, 450, ["clear"]],
        [3, 1, 1, []],
      ],
      1,
    ],
    [
      "at the edge it does not flap",
      [
        [0, 81, 1, ["warn"]],
        [1, 79, 1, []],
        [2, 81, 1, []],
      ],
      1,
    ],
    [
      "again after it cleared",
      [
        [0, 90, 1, ["warn"]],
        [1, 1, 1, ["clear"]],
        [2, 90, 1, ["warn"]],
      ],
      2,
    ],
    [
      "a breach, once",
      [
        [0, 90, 1, ["warn"]],
        [59_999, 90, 1, []],
        [60_000, 90, 1, ["breach"]],
        [90_000, 90, 1, []],
        [120_000, 1, 1, ["clear"]],
        [150_000, 90, 1, ["warn"]],
        [209_999, 90, 1, []],
        [210_000, 90, 1, ["breach"]],
      ],
      2,
    ],
    [
      "no breach by what is no longer crossed",
      [
        [0, 90, 1, ["warn"]],
        [70_000, 75, 1, []],
        [80_000, 81, 1, []],
        [139_999, 81, 1, []],
        [140_000, 81, 1, ["breach"]],
      ],
      1,
    ],
    [
      "one threshold, then the other",
      [
        [0, 90, 1, ["warn"]],
        [10_000, 90, 600, ["warn"]],
        [20_000, 1, 600, []],
        [30_000, 1, 1, ["clear"]],
      ],
      2,
    ],
    [
      "what cleared in between did not last",
      [
        [0, 90, 1, ["warn"]],
        [40_000, 1, 1, ["clear"]],
        [70_000, 90, 1, ["warn"]],
      ],
      2,
    ],
  ];
  for (const [what, looks, warnings] of rows) {
    let standing = AT_EASE;
    for (const [at, cpu, mib, expected] of looks) {
      const step = judge(standing, { cpu, memory: mib * MIB }, LIMITS, at);
      t.same(step.verdicts, expected, `${what}, at ${at}`);
      ({ standing } = step);
    }
    t.equal(standing.warnings, warnings, `${what}: warnings`);
  }
  const none = { ...LIMITS, breachMs: 0 };
  t.same(judge(AT_EASE, { cpu: 90, memory: 1 }, none, 7).verdicts, ["warn", "breach"], "at once");
  const lowered = judge(AT_EASE, { cpu: 50, memory: 1 }, { ...LIMITS, cpuPercent: 40 }, 0);
  t.same(lowered.verdicts, ["warn"], "by a threshold that was lowered");
  const raised = judge(lowered.standing, { cpu: 50, memory: 1 }, LIMITS, 1);
  t.same(raised.verdicts, ["clear"], "and raised again");
});

type Bench = {
  readonly monitor: ResourceMonitor;
  readonly findings: Finding[];
  readonly asked: number[][];
  readonly settings: { cpu: number; memory: number; breachMs: number; enabled: boolean };
  at: number;
};

const bench = (answers: () => ReadonlyMap<number, Measured>): Bench => {
  const asked: number[][] = [];
  const settings = { cpu: 80, memory: 500, breachMs: 60_000, enabled: true };
  const measured: Measure = async (pids) => {
    asked.push([...pids]);
    return answers();
  };
  const findings: Finding[] = [];
  const made = { findings, asked, settings, at: 0 };
  const monitor = new ResourceMonitor(
    () => settings.cpu,
    () => settings.memory,
    {
      clock: { now: () => made.at, after: () => () => {} },
      monotonic: () => made.at,
      intervalMs: () => 30_000,
      breachMs: () => settings.breachMs,
      enabled: () => settings.enabled,
      measure: measured,
    },
  );
  monitor.onFinding = (finding) => findings.push(finding);
  return Object.assign(made, { monitor });
};

t.test("Test ResourceMonitor with mock process data", async (t) => {
  // No such pids: nothing real is measured or forgotten.
  const [A, B] = [2_000_000_001, 2_000_000_002];
  const data = new Map<number, Measured>([
    [A, { cpu: 95, memory: 100 * MIB, pss: 20 * MIB }],
    [B, { cpu: 1, memory: 600 * MIB, pss: null }],
  ]);
  const it = bench(() => data);
  const { monitor } = it;
  t.equal(monitor.getUsage("radio"), null);
  await monitor.sweep();
  t.same(it.asked, [], "where nothing runs nothing is asked");
  monitor.startMonitoring("radio", A);
  monitor.startMonitoring("news", B);
  await monitor.sweep();
  t.same(it.asked, [[A, B]], "one call for all");
  t.same(it.findings, [], "the first look is no verdict");
  it.at = 30_000;
  await monitor.sweep();
  t.same(monitor.getUsage("radio"), {
    ...{ streamId: "radio", processId: A, cpu: 95, memory: 100 * MIB, pss: 20 * MIB },
    ...{ lastCheck: new Date(30_000), warnings: 1 },
  });
  t.same([...monitor.getAllUsage().keys()], ["radio", "news"]);
  t.same(
    it.findings.map(({ verdict, usage }) => [verdict, usage.streamId]),
    [
      ["warn", "radio"],
      ["warn", "news"],
    ],
  );

  await t.test("a dead one has no usage and spoils nobody else's", async (t) => {
    data.delete(A);
    it.at = 60_000;
    await monitor.sweep();
    t.equal(monitor.getUsage("radio"), null);
    t.match(monitor.getUsage("news"), { lastCheck: new Date(60_000), warnings: 1 });
    t.equal(it.findings.length, 2);
  });

  await t.test("another process begins anew", async (t) => {
    data.set(A, { cpu: 95, memory: MIB, pss: null });
    monitor.startMonitoring("news", A);
    t.equal(monitor.getUsage("news"), null);
    await monitor.sweep();
    t.match(monitor.getUsage("news"), { processId: A, warnings: 0 });
    monitor.startMonitoring("news", A);
    t.ok(monitor.getUsage("news"), "to begin twice changes nothing");
  });

  await t.test(
    "switched off it asks nothing and knows nothing; on again it begins anew",
    async (t) => {
      const calls = it.asked.length;
      it.settings.enabled = false;
      t.equal(monitor.getUsage("news"), null);
      t.equal(monitor.getAllUsage().size, 0);
      await monitor.sweep();
      t.equal(it.asked.length, calls);
      it.settings.enabled = true;
      t.equal(monitor.getUsage("news"), null);
      await monitor.sweep();
      t.ok(monitor.getUsage("news"));
    },
  );

  monitor.stopMonitoring("news");
  monitor.stopMonitoring("news");
  t.equal(monitor.getUsage("news"), null);
  monitor.stop();
  t.equal(monitor.getAllUsage().size, 0);
});

t.test("ticks follow the setting, and end", async (t) => {
  const timers: { ms: number; run: () => void }[] = [];
  let intervalMs = 30_000;
  const monitor = new ResourceMonitor(
    () => 80,
    () => 500,
    {
      clock: {
        now: () => 0,
        after: (ms, run) => {
          timers.push({ ms, run });
          return () => void (timers.length = 0);
        },
      },
      monotonic: () => 0,
      intervalMs: () => intervalMs,
      breachMs: () => 0,
      enabled: () => true,
      measure: async () => new Map(),
    },
  );
  monitor.start();
  intervalMs = 1_000;
  t.same(
    timers.map(({ ms }) => ms),
    [30_000],
  );
  timers.shift()?.run();
  await until("the next tick is set", () => timers.length > 0, 1_000);
  t.same(
    timers.map(({ ms }) => ms),
    [1_000],
  );
  const last = timers[0];
  monitor.stop();
  t.same(timers, []);
  last?.run();
  await monitor.sweep();
  t.same(timers, [], "a sweep under way sets no further one");
});

type Teardown = { teardown: (end: () => unknown) => unknown };

const real = (cpu: number): ResourceMonitor =>
  new ResourceMonitor(
    () => cpu,
    () => 100_000,
    {
      clock: systemClock,
      monotonic: () => performance.now(),
      intervalMs: () => 30_000,
      breachMs: () => 60_000,
      enabled: () => true,
    },
  );

const started = (t: Teardown, ...argv: readonly string[]): number => {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  return child.pid ?? 0;
};

t.test(
  "real processes: a busy one crosses, an idle one does not, a dead one is left out",
  async (t) => {
    const busy = started(t, "nice", "-n", "19", "sh", "-c", "while :; do :; done");
    const idle = started(t, "sleep", "60");
    const monitor = real(15);
    t.teardown(() => monitor.stop());
    const findings: Finding[] = [];
    monitor.onFinding = (finding) => findings.push(finding);
    monitor.startMonitoring("busy", busy);
    monitor.startMonitoring("dead", 2_000_000_001);
    monitor.startMonitoring("idle", idle);
    await monitor.sweep();
    t.ok(monitor.getUsage("idle"), "whatever a dead one is");
    t.equal(monitor.getUsage("dead"), null);
    t.same(findings, []);
    let looked = performance.now();
    await until(
      "the busy one has crossed",
      async () => {
        // Less than a tenth of a second measures nothing.
        if (performance.now() - looked < 200) return false;
        await monitor.sweep();
        looked = performance.now();
        return findings.length > 0;
      },
      10_000,
    );
    t.same(
      findings.map(({ verdict, usage }) => [verdict, usage.streamId]),
      [["warn", "busy"]],
    );
    const usage = monitor.getUsage("idle");
    t.ok((usage?.cpu ?? 99) < 5, `${usage?.cpu} %`);
    t.ok((usage?.memory ?? 0) > 100_000);
    t.ok((usage?.pss ?? 0) > 0 && (usage?.pss ?? 0) <= (usage?.memory ?? 0));
  },
);

t.test("what pidusage keeps is given back", async (t) => {
  const open = (): number =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return /^\/proc\/\d+\/stat$/.test(readlinkSync(`/proc/self/fd/${fd}`));
      } catch {
        return false;
      }
    }).length;
  const before = open();
  const pids = Array.from({ length: 5 }, () => started(t, "sleep", "60"));
  const monitor = real(80);
  for (const pid of pids) monitor.startMonitoring(String(pid), pid);
  await monitor.sweep();
  t.equal(open(), before + 5);
  // One ends while it is measured.
  const sweeping = monitor.sweep();
  monitor.stopMonitoring(String(pids[0]));
  await sweeping;
  await until("it is closed", () => open() === before + 4, 2_000);
  monitor.stop();
  await until("all are closed", () => open() === before, 2_000);
  const measure = measurer();
  t.equal((await measure([2_000_000_001], 60_000)).size, 0, "a dead one alone");
  t.equal((await measure([], 60_000)).size, 0, "none at all");
  const [first] = (await measure([process.pid], 60_000)).values();
  t.ok((first?.cpu ?? 0) > 0, "the first look is over the whole life, and not 0");
});

t.test("a process whose memory the kernel cannot add up just now holds nobody up", async (t) => {
  const proc = t.testdir({ [process.pid]: {} });
  const fifo = path.join(proc, String(process.pid), "smaps_rollup");
  await output("mkfifo", [fifo]);
  const measure = measurer(proc, 100);
  const look = async (): Promise<Measured | undefined> =>
    (await measure([process.pid], 60_000)).get(process.pid);
  t.match(await look(), { pss: null }, "in time, with all that is known");
  for (let n = 0; n < 8; n += 1) await look();
  t.ok(await readFile("/proc/self/stat"), "and the threads are not used up");
  // Whoever reads is answered, and whoever reads next finds a file.
  writeFileSync(fifo, "");
  rmSync(fifo);
  writeFileSync(fifo, "Rss:   99 kB\nPss:   12 kB\n");
  await until(
    "it is asked again when it has answered",
    async () => (await look())?.pss === 12_288,
    5_000,
  );
});

t.test("what is said and done of a finding", async (t) => {
  const lines: string[] = [];
  const counted: string[] = [];
  const done: string[] = [];
  const write = (level: string) => (fields: object, sentence: string) =>
    void lines.push(`${level} ${(fields as { event: string }).event}: ${sentence}`);
  const log: Log = {
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    child: () => log,
  };
  const metrics = {
    resourcesWarned: (owner: string) => void counted.push(`warned ${owner}`),
    resourcesBreached: (owner: string, action: string) => void counted.push(`${action} ${owner}`),
  } as unknown as Metrics;
  const stream = (name: string, action: StreamSpec["onResourceBreach"], pid: number): Stream =>
    ({
      spec: { name, owner: "anna", onResourceBreach: action },
      supervisor: {
        state: { is: "live", run: { pids: { ffmpeg: { pid } } } },
        dispatch: ({ type }: { type: string }) => void done.push(`${name} ${type}`),
      },
      stopProcess: async (ofPid: number, { reason }: { reason: string }) =>
        void done.push(`${name} stop ${ofPid} ${reason}`),
    }) as unknown as Stream;
  const streams = new Map([
    ["w", stream("w", "warn", 1)],
    ["r", stream("r", "restart", 1)],
    ["s", stream("s", "stop", 1)],
    ["other", stream("other", "stop", 2)],
  ]);
  const respond = respondTo({ streams, log, metrics });
  const tell = (streamId: string, verdict: Verdict): void =>
    respond({
      verdict,
      usage: {
        ...{ streamId, processId: 1, cpu: 93.4, memory: 612.4 * MIB, pss: null },
        ...{ lastCheck: new Date(0), warnings: 1 },
      },
    });
  tell("w", "warn");
  tell("w", "clear");
  for (const name of ["w", "r", "s", "other", "gone"]) tell(name, "breach");
  const figures = "CPU 93%, Memory 612 MB";
  t.same(lines, [
    `warn RESOURCE_WARNING: Stream w using high resources: ${figures}`,
    `info resources-normal: w: resources are back to normal: ${figures}`,
    `warn resource-breach: r: restarting it, using high resources for too long: ${figures}`,
    `warn resource-breach: s: stopping it, using high resources for too long: ${figures}`,
  ]);
  t.same(counted, ["warned anna", "warn anna", "restart anna", "stop anna"]);
  t.same(done, ["r refresh", "s stop 1 resource-breach"]);
});
