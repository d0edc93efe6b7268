import t from "tap";
import { WallClock, uptimeMs } from "../../daemon/clock/wall-clock.ts";
import { ageOf, identify } from "../../daemon/runner/identity.ts";
import { shiftedState } from "../../daemon/supervisor/shifted-state.ts";
import { NO_STREAK, type State } from "../../daemon/supervisor/state.ts";

const DAY_MS = 86_400_000;

const make = () => {
  const at = { wall: 1_700_000_000_000, monotonic: 5_000, uptime: 9_000 };
  const clock = new WallClock({
    wall: () => at.wall,
    monotonic: () => at.monotonic,
    uptime: () => at.uptime,
  });
  const steps: number[] = [];
  clock.onStep((ms) => void steps.push(ms));
  const pass = (ms: number, asleep = 0): void => {
    at.monotonic += ms;
    at.uptime += ms + asleep;
    at.wall += ms + asleep;
  };
  return { at, clock, steps, pass };
};

t.test("a clock that is set is noticed once, by how much, in either direction", async (t) => {
  const { at, clock, steps, pass } = make();
  pass(3_600_000);
  clock.now();
  t.same(steps, [], "time that passes is no step");
  at.wall += DAY_MS;
  pass(500);
  t.equal(clock.now(), at.wall);
  clock.now();
  at.wall -= 2 * DAY_MS;
  clock.now();
  clock.now();
  t.same(steps, [DAY_MS, -2 * DAY_MS]);
});

t.test("it is told before anybody has read the new time", async (t) => {
  const { at, clock } = make();
  const seen: number[] = [];
  clock.onStep((ms) => void seen.push(clock.now(), ms));
  at.wall += DAY_MS;
  seen.push(clock.now());
  t.same(seen, [at.wall, DAY_MS, at.wall], "and may read it itself");
});

t.test("sleep is no step, whatever the clock was set to meanwhile", async (t) => {
  const { at, clock, steps, pass } = make();
  pass(100, 8 * 3_600_000);
  clock.now();
  t.same(steps, []);
  pass(100, 3_600_000);
  at.wall -= DAY_MS;
  clock.now();
  t.same(steps, [-DAY_MS]);
  pass(100);
  clock.now();
  t.equal(steps.length, 1);
});

t.test("a clock that is adjusted bit by bit is not one that is set", async (t) => {
  const { at, clock, steps, pass } = make();
  for (let hour = 0; hour < 24; hour += 1) {
    pass(3_600_000);
    at.wall += 40;
    clock.now();
  }
  t.same(steps, []);
});

t.test("a process is as old as the kernel says", async (t) => {
  const self = identify(process.pid);
  const age = self === null ? null : ageOf(self);
  t.ok(age !== null && Math.abs(age - process.uptime() * 1_000) < 5_000, `${age} ms`);
  t.equal(ageOf({ pid: process.pid, startTime: 1 }), null, "another one with its pid");
  t.ok(uptimeMs() > (age ?? Infinity));
});

t.test("every time in a state moves with the clock, and nothing else does", async (t) => {
  const streak = { attempt: 3, outageSince: 100, kills: [50, 60] };
  const run = { pids: { runner: null, ffmpeg: { pid: 7, startTime: 8 } }, startedAt: 200 };
  const failure = { reason: "killed", permanent: false, message: "" } as const;
  const states: readonly State[] = [
    { is: "stopped" },
    { is: "finished" },
    { is: "failed", failure },
    { is: "backoff", failure, streak, retryAt: 300 },
    { is: "waiting", why: "", streak },
    { is: "preparing", streak, byOperator: true },
    { is: "starting", run, streak },
    { is: "live", run, streak },
    { is: "stopping", run, next: "rest", force: "no", failure: null, streak },
    { is: "stopping", run: null, next: "rest", force: "no", failure: null, streak: NO_STREAK },
    { is: "foreign", why: "", streak },
  ];
  for (const state of states) {
    const expected = JSON.parse(
      JSON.stringify(state)
        .replace('"outageSince":100,"kills":[50,60]', '"outageSince":1100,"kills":[1050,1060]')
        .replace('"startedAt":200', '"startedAt":1200')
        .replace('"retryAt":300', '"retryAt":1300'),
    ) as State;
    t.same(shiftedState(state, 1_000), expected, state.is);
    t.same(shiftedState(shiftedState(state, 1_000), -1_000), state, "and back");
  }
});
