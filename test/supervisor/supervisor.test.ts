import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { ownInput } from "../../daemon/reach/input.ts";
import { NO_ENCODING } from "../../shared/contract/spec.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import type { Failure } from "../../daemon/ffmpeg/failure.ts";
import type { Log } from "../../daemon/log/log.ts";
import { SeenMedia } from "../../daemon/media/seen-media.ts";
import { makeLayout, placesOf } from "../../daemon/store/layout.ts";
import type { MemoryRecord } from "../../daemon/store/schemas.ts";
import { StartGate } from "../../daemon/supervisor/start-gate.ts";
import { NO_STREAK, type Run, type State } from "../../daemon/supervisor/state.ts";
import { Supervisor } from "../../daemon/supervisor/supervisor.ts";
import { TrackRecord } from "../../daemon/supervisor/track-record.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { until } from "../helpers/until.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-supervisor-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
const layout = makeLayout(path.join(home, "state"), path.join(home, "run"));

const run: Run = {
  pids: { runner: null, ffmpeg: { pid: 999_999_999, startTime: 1 } },
  startedAt: 0,
};
const missing: Failure = { reason: "input-missing", permanent: false, message: "gone" };

type Made = {
  readonly supervisor: Supervisor;
  readonly clock: FakeClock;
  readonly events: string[];
  readonly remembered: MemoryRecord[];
  wanted: boolean;
  blocked: Failure | null;
};

/** A supervisor whose every start is refused by `blocked` before it touches anything. */
const make = (state: State, settings: Record<string, number> = {}): Made => {
  const clock = new FakeClock();
  const events: string[] = [];
  const remembered: MemoryRecord[] = [];
  const write = (fields: object): void =>
    void events.push(String((fields as { event: unknown }).event));
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  const made = { clock, events, remembered, wanted: true, blocked: missing as Failure | null };
  const supervisor = new Supervisor(
    {
      settings: () => SettingsSchema.parse(settings),
      encoders: { choose: async () => ({ ok: false, message: "none" }) },
      tools: { ffmpeg: "ffmpeg", ffprobe: "ffprobe" },
      launch: () => Promise.reject(new Error("nothing may be launched here")),
      clock,
      monotonic: () => clock.at,
      random: () => 0.5,
      draining: () => false,
      starts: new StartGate({
        ...{ clock, most: () => 4, ending: new AbortController().signal },
      }),
      ending: new AbortController().signal,
      seen: new SeenMedia(),
      reach: { of: async (_, path) => ({ ok: true, input: ownInput(path) }) },
      name: "radio",
      log,
      places: placesOf(layout, "radio"),
      spec: () => ({
        name: "radio",
        owner: "anna",
        input: "/nowhere",
        loop: true,
        mode: "copy",
        encoding: NO_ENCODING,
        onResourceBreach: "warn",
        outputs: [{ url: "rtmp://127.0.0.1/live", hasKey: false }],
        revision: 1,
      }),
      desired: () => (made.wanted ? "running" : "stopped"),
      destination: () => ({ ok: true, destination: { url: "rtmp://127.0.0.1/live", secrets: {} } }),
      conflict: () => made.blocked,
      remember: async (memory) => {
        remembered.push(memory);
        return true;
      },
      finish: async () => {
        made.wanted = false;
      },
      cleanUp: () => {},
      lock: async () => "free",
      left: () => ({ is: "nothing" }),
      targetOf: () => "",
    },
    null,
  );
  supervisor.state = state;
  return Object.assign(made, { supervisor });
};

/** A preparation is asynchronous, even one that is refused at once. */
const prepared = (supervisor: Supervisor): Promise<unknown> =>
  until("the preparation is over", () => supervisor.state.is !== "preparing", 2_000);

const forceOf = (supervisor: Supervisor): string =>
  supervisor.state.is === "stopping" ? supervisor.state.force : supervisor.state.is;

t.test(
  "TERM, TERM again after a second, KILL at the timeout, KILL again each second",
  async (t) => {
    const { supervisor, clock, events } = make({ is: "live", run, streak: NO_STREAK });
    supervisor.dispatch({ type: "stop" });
    t.equal(forceOf(supervisor), "no");
    clock.pass(999);
    t.equal(forceOf(supervisor), "no");
    clock.pass(1);
    t.equal(forceOf(supervisor), "again");
    clock.pass(3_999);
    t.equal(forceOf(supervisor), "again");
    clock.pass(1);
    t.equal(forceOf(supervisor), "kill");
    clock.pass(10_000);
    t.same(events, ["FORCE_KILL_REQUIRED", "force-killed"]);
    supervisor.dispatch({ type: "exited", how: missing });
    t.equal(supervisor.state.is, "stopped");
    t.equal(clock.waiting, 0, "no timer is left");
  },
);

for (const type of ["stop", "start", "restart"] as const) {
  t.test(`a "${type}" repeated during a stop does not put off the force kill`, async (t) => {
    const { supervisor, clock } = make({ is: "live", run, streak: NO_STREAK });
    supervisor.dispatch({ type: "stop" });
    for (let step = 0; step < 12; step += 1) {
      clock.pass(500);
      supervisor.dispatch({ type });
    }
    t.equal(forceOf(supervisor), "kill", "six seconds after the first SIGTERM");
  });
}

for (const stepMs of [86_400_000, -86_400_000]) {
  t.test(`a clock set by ${stepMs} ms puts off neither a force kill nor a retry`, async (t) => {
    const { supervisor, clock } = make({ is: "live", run, streak: NO_STREAK });
    const set = (): void => {
      clock.aheadMs += stepMs;
      supervisor.shift(stepMs);
    };
    supervisor.dispatch({ type: "stop" });
    clock.pass(500);
    set();
    supervisor.dispatch({ type: "stop" });
    clock.pass(4_500);
    t.equal(forceOf(supervisor), "kill", "five seconds after the first SIGTERM");
    t.equal(clock.now() - supervisor.since, 5_000, "stopping since then");

    const lost = make({
      is: "live",
      run,
      streak: { attempt: 3, outageSince: 1_000_000, kills: [] },
    });
    const failure: Failure = { reason: "network-lost", permanent: false, message: "" };
    lost.supervisor.dispatch({ type: "exited", how: failure });
    const { state } = lost.supervisor;
    const retryAt = state.is === "backoff" ? state.retryAt : Number.NaN;
    const afterMs = retryAt - lost.clock.now();
    lost.clock.pass(afterMs / 2);
    lost.clock.aheadMs += stepMs;
    lost.supervisor.shift(stepMs);
    t.match(lost.supervisor.state, {
      ...{ is: "backoff", retryAt: retryAt + stepMs, streak: { outageSince: 1_000_000 + stepMs } },
    });
    t.match(lost.remembered.at(-1), { rest: { is: "backoff", retryAt: retryAt + stepMs } });
    lost.clock.pass(afterMs / 2 - 1);
    t.equal(lost.supervisor.state.is, "backoff", "not before its time");
    lost.clock.pass(1);
    t.not(lost.supervisor.state.is, "backoff", "nor after it");
    supervisor.release();
    lost.supervisor.release();
  });
}

t.test("retries follow the policy, and an operator's start begins afresh", async (t) => {
  const { supervisor, clock, remembered } = make({ is: "stopped" }, { INPUT_RETRY_MS: 2_000 });
  supervisor.dispatch({ type: "resume" });
  await prepared(supervisor);
  t.match(supervisor.state, { is: "backoff", streak: { attempt: 1 } });
  t.equal(supervisor.track.restarts, 1);
  clock.pass(500);
  await prepared(supervisor);
  t.match(supervisor.state, { is: "backoff", streak: { attempt: 2 } }, "looked for soon, once");
  clock.pass(1_999);
  t.match(supervisor.state, { is: "backoff", streak: { attempt: 2 } });
  for (let attempt = 3; attempt <= 12; attempt += 1) {
    clock.pass(attempt === 3 ? 1 : 2_000);
    await prepared(supervisor);
    t.match(supervisor.state, { is: "backoff", streak: { attempt } });
  }
  t.match(remembered.at(-1), { rest: { is: "backoff", streak: { attempt: 12 } } });
  supervisor.dispatch({ type: "start" });
  await prepared(supervisor);
  t.match(supervisor.state, { is: "failed", failure: { permanent: true } }, "somebody waits");
  t.equal(supervisor.track.restarts, 0);
  t.equal(clock.waiting, 0);
  t.match(remembered.at(-1), { rest: { is: "failed", failure: { reason: "input-missing" } } });
});

t.test("a start that brings no media is ended and tried again", async (t) => {
  const { supervisor, clock } = make({ is: "stopped" });
  supervisor.state = { is: "preparing", streak: NO_STREAK, byOperator: false };
  supervisor.dispatch({ type: "prepared", run });
  clock.pass(29_999);
  t.equal(supervisor.state.is, "starting");
  clock.pass(1);
  t.match(supervisor.state, { is: "stopping", failure: { reason: "no-media" } });
  supervisor.dispatch({ type: "exited", how: missing });
  t.match(supervisor.state, { is: "backoff", failure: { reason: "no-media" } });
});

t.test("five minutes of delivery forget the failures", async (t) => {
  const { supervisor, clock } = make({
    is: "starting",
    run,
    streak: { attempt: 7, outageSince: 1, kills: [1] },
  });
  supervisor.dispatch({ type: "flowing" });
  clock.pass(299_999);
  t.match(supervisor.state, { is: "live", streak: { attempt: 7 } });
  clock.pass(1);
  t.match(supervisor.state, { is: "live", streak: NO_STREAK });
});

t.test("a cleanup forgets the failures that were counted", async (t) => {
  const track = new TrackRecord({
    ...{ version: 1, reached: null, failuresAtPosition: 2, restarts: 5, fallback: null },
    ...{ lastExit: null, rest: { is: "stopped", since: 0 } },
  });
  t.equal(track.forgetFailures(), 2, "and says how many there were");
  t.equal(track.forgetFailures(), 0);
  t.match(track.toMemory({ is: "stopped" }, 0, null), { failuresAtPosition: 0, restarts: 5 });
});

t.test("what an earlier daemon left at rest is taken up, whatever the clock did", async (t) => {
  const rest = { since: 500, failure: missing, streak: { attempt: 3, outageSince: 1, kills: [] } };
  const { supervisor, clock } = make({ is: "stopped" });
  supervisor.recall({ ...rest, is: "backoff", retryAt: clock.at + 10 * 86_400_000 });
  t.equal(supervisor.since, 500);
  clock.pass(60_000);
  await prepared(supervisor);
  t.match(
    supervisor.state,
    { is: "backoff", streak: { attempt: 4 } },
    "tried within the longest delay",
  );
  const failed = make({ is: "stopped" });
  failed.supervisor.recall({ is: "failed", since: 9, failure: missing });
  t.match(failed.supervisor, { state: { is: "failed" }, since: 9 });
  t.equal(failed.clock.waiting, 0);
});

t.test(
  "a retry that a jumped clock has set far ahead is not put off anew by each daemon",
  async (t) => {
    const lost: Failure = { reason: "network-lost", permanent: false, message: "gone" };
    const streak = { attempt: 3, outageSince: 10 * 86_400_000, kills: [] };
    const rest = { is: "backoff", since: 500, failure: lost, streak } as const;
    const first = make({ is: "stopped" });
    first.supervisor.recall({ ...rest, retryAt: 10 * 86_400_000 });
    const saved = first.remembered.at(-1)?.rest;
    if (saved?.is !== "backoff") throw new Error("nothing was saved");
    t.equal(saved.retryAt, first.clock.at + 10_000, "as near as for an outage so young");
    t.equal(saved.since, 500);
    const second = make({ is: "stopped" });
    second.clock.pass(9_000);
    second.supervisor.recall(saved);
    t.same(second.remembered, [], "nothing to correct");
    second.clock.pass(saved.retryAt - second.clock.at);
    await prepared(second.supervisor);
    t.match(second.supervisor.state, { is: "backoff", streak: { attempt: 4 } }, "tried in time");
  },
);

t.test("released, it does nothing any more", async (t) => {
  const { supervisor, clock } = make({ is: "live", run, streak: NO_STREAK });
  supervisor.dispatch({ type: "stop" });
  supervisor.release();
  clock.pass(100_000);
  t.equal(forceOf(supervisor), "no");
});
