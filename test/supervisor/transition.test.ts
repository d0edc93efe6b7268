import t from "tap";
import type { Failure } from "../../daemon/ffmpeg/failure.ts";
import { NO_STREAK, type Run, type State, isAtRest, runOf } from "../../daemon/supervisor/state.ts";
import { timerOf } from "../../daemon/supervisor/timers.ts";
import type { Effect, Event, Step, World } from "../../daemon/supervisor/events.ts";
import { transition } from "../../daemon/supervisor/transition.ts";

const policy = {
  firstMs: 500,
  maxMs: 10_000,
  maxLaterMs: 60_000,
  youngMs: 300_000,
  inputMs: 60_000,
  limit: 0,
};
const world: World = { now: 1_000_000, random: 0.5, policy, startTimeoutMs: 30_000, wanted: true };
const timers = { startTimeoutMs: 30_000, forceKillMs: 5_000, resetMs: 300_000 };

const runWith = (pid: number): Run => ({
  pids: { runner: { pid: pid + 1, startTime: 1 }, ffmpeg: { pid, startTime: 1 } },
  startedAt: 1,
});
const run = runWith(100);
const streak = { attempt: 3, outageSince: 900_000, kills: [] };
const lost: Failure = { reason: "network-lost", permanent: false, message: "lost" };
const hopeless: Failure = { reason: "codec-unsupported", permanent: true, message: "no" };
const missing: Failure = { reason: "input-missing", permanent: false, message: "gone" };
const stopping = { is: "stopping", run, next: "rest", force: "no", failure: null, streak } as const;

const STATES = {
  stopped: { is: "stopped" },
  finished: { is: "finished" },
  failed: { is: "failed", failure: hopeless },
  backoff: { is: "backoff", failure: lost, streak, retryAt: world.now + 5_000 },
  waiting: { is: "waiting", why: "no slot", streak },
  preparing: { is: "preparing", streak, byOperator: false },
  asked: { is: "preparing", streak, byOperator: true },
  starting: { is: "starting", run, streak },
  live: { is: "live", run, streak },
  overtaken: { ...stopping, run: null },
  overtakenRestart: { ...stopping, run: null, next: "start" },
  stopping,
  stoppingAgain: { ...stopping, force: "again" },
  stoppingKill: { ...stopping, force: "kill" },
  restarting: { ...stopping, next: "start" },
  refreshing: { ...stopping, next: "resume" },
  timedOut: { ...stopping, next: "resume", failure: lost },
  foreign: { is: "foreign", why: "held", streak },
} as const satisfies Readonly<Record<string, State>>;
type StateKey = keyof typeof STATES;

const EVENTS = {
  start: { type: "start" },
  stop: { type: "stop" },
  restart: { type: "restart" },
  refresh: { type: "refresh" },
  resume: { type: "resume" },
  noRoom: { type: "no-room", why: "no slot" },
  hurry: { type: "hurry" },
  adoptFlowing: { type: "adopt", run: runWith(200), flowing: true, streak },
  adoptSilent: { type: "adopt", run: runWith(200), flowing: false, streak },
  prepared: { type: "prepared", run: runWith(300) },
  unprepared: { type: "unprepared", failure: lost },
  unpreparedForGood: { type: "unprepared", failure: hopeless },
  inputMissing: { type: "unprepared", failure: missing },
  locked: { type: "locked", why: "held" },
  free: { type: "rechecked", free: true },
  stillHeld: { type: "rechecked", free: false },
  flowing: { type: "flowing" },
  ended: { type: "exited", how: "ended" },
  planned: { type: "exited", how: "planned" },
  lost: { type: "exited", how: lost },
  hopeless: { type: "exited", how: hopeless },
  retry: { type: "timer", timer: "retry" },
  startTimeout: { type: "timer", timer: "start-timeout" },
  settled: { type: "timer", timer: "settled" },
  escalate: { type: "timer", timer: "escalate" },
  recheck: { type: "timer", timer: "recheck" },
} as const satisfies Readonly<Record<string, Event>>;
type EventKey = keyof typeof EVENTS;

const keys = <K extends string>(of: Readonly<Record<K, unknown>>): K[] => Object.keys(of) as K[];

/** The next state and what is done, logs left out; "=" where nothing at all happens. */
const shown = (before: State, { state, effects }: Step): string => {
  if (state === before && effects.length === 0) return "=";
  const done = effects.flatMap((effect) =>
    effect.do === "log" ? [] : [effect.do === "signal" ? effect.signal : effect.do],
  );
  return [state.is, ...done].join(" ");
};

const everyState = (cell: string): Record<StateKey, string> =>
  Object.fromEntries(keys(STATES).map((key) => [key, cell])) as Record<StateKey, string>;
const toStart = {
  stopped: "preparing prepare",
  finished: "preparing prepare",
  failed: "preparing prepare",
  backoff: "preparing prepare",
  waiting: "preparing prepare",
};
const atStopping = (cell: string): Partial<Record<StateKey, string>> => ({
  stopping: cell,
  stoppingAgain: cell,
  stoppingKill: cell,
  restarting: cell,
  refreshing: cell,
  timedOut: cell,
});
const overtakenBy = { overtaken: "stopped", overtakenRestart: "preparing prepare" };
const afterStop = {
  stopping: "stopped",
  stoppingAgain: "stopped",
  stoppingKill: "stopped",
  restarting: "preparing prepare",
  refreshing: "preparing prepare",
  timedOut: "backoff",
};

/** What each event leads to; a state that is not named stays exactly as it is. */
const TABLE: Readonly<Record<EventKey, Partial<Record<StateKey, string>>>> = {
  start: {
    ...toStart,
    overtaken: "stopping",
    overtakenRestart: "stopping",
    ...atStopping("stopping"),
  },
  stop: {
    finished: "stopped",
    failed: "stopped",
    backoff: "stopped",
    waiting: "stopped",
    preparing: "stopping",
    asked: "stopping",
    starting: "stopping SIGTERM",
    live: "stopping SIGTERM",
    overtaken: "stopping",
    overtakenRestart: "stopping",
    ...atStopping("stopping"),
  },
  restart: {
    ...toStart,
    starting: "stopping SIGTERM",
    live: "stopping SIGTERM",
    overtaken: "stopping",
    overtakenRestart: "stopping",
    ...atStopping("stopping"),
  },
  refresh: { starting: "stopping SIGTERM", live: "stopping SIGTERM" },
  resume: toStart,
  noRoom: {
    stopped: "waiting",
    finished: "waiting",
    failed: "waiting",
    backoff: "waiting",
    waiting: "waiting",
  },
  hurry: { ...atStopping("stopping SIGKILL"), stoppingKill: "=" },
  adoptFlowing: everyState("live"),
  adoptSilent: everyState("starting"),
  prepared: {
    preparing: "starting",
    asked: "starting",
    overtaken: "stopping SIGTERM",
    overtakenRestart: "stopping SIGTERM",
  },
  unprepared: { preparing: "backoff", asked: "backoff", ...overtakenBy },
  unpreparedForGood: { preparing: "failed", asked: "failed", ...overtakenBy },
  inputMissing: { preparing: "backoff", asked: "failed", ...overtakenBy },
  locked: {
    preparing: "foreign",
    asked: "foreign",
    // Somebody is on the air: "stopped" would be a lie.
    overtaken: "foreign",
    overtakenRestart: "foreign",
  },
  free: { foreign: "preparing prepare" },
  stillHeld: { foreign: "foreign" },
  flowing: { starting: "live" },
  ended: { starting: "finished finish", live: "finished finish", ...afterStop },
  planned: { starting: "preparing prepare", live: "preparing prepare", ...afterStop },
  lost: { starting: "backoff", live: "backoff", ...afterStop },
  hopeless: { starting: "failed", live: "failed", ...afterStop },
  retry: { backoff: "preparing prepare" },
  startTimeout: { starting: "stopping SIGTERM" },
  settled: { live: "live" },
  escalate: {
    ...atStopping("stopping SIGTERM"),
    stoppingAgain: "stopping SIGKILL",
    stoppingKill: "stopping SIGKILL",
  },
  recheck: { foreign: "foreign recheck" },
};

/** Where nobody wants it running any more, only these cells differ: it comes to rest. */
const UNWANTED: Readonly<Partial<Record<EventKey, Partial<Record<StateKey, string>>>>> = {
  unprepared: { preparing: "stopped", asked: "stopped" },
  unpreparedForGood: { preparing: "stopped", asked: "stopped" },
  inputMissing: { preparing: "stopped", asked: "stopped" },
  free: { foreign: "stopped" },
  retry: { backoff: "stopped" },
  ended: { timedOut: "stopped" },
  planned: { starting: "stopped", live: "stopped", timedOut: "stopped" },
  lost: { starting: "stopped", live: "stopped", timedOut: "stopped" },
  hopeless: { starting: "stopped", live: "stopped", timedOut: "stopped" },
};

/** A stop that is under way forgets what it was to lead to; the repeated command signals nothing. */
const tableOf = (wanted: boolean): Record<string, Record<string, string>> =>
  Object.fromEntries(
    keys(EVENTS).map((event) => {
      const unwanted = wanted ? {} : UNWANTED[event];
      return [event, { ...everyState("="), ...TABLE[event], ...unwanted }];
    }),
  );

t.test("every state meets every event", async (t) => {
  for (const wanted of [true, false]) {
    const found = Object.fromEntries(
      keys(EVENTS).map((event) => [
        event,
        Object.fromEntries(
          keys(STATES).map((state) => [
            state,
            shown(STATES[state], transition(STATES[state], EVENTS[event], { ...world, wanted })),
          ]),
        ),
      ]),
    );
    for (const event of keys(EVENTS)) {
      t.same(found[event], tableOf(wanted)[event], `${event}, ${wanted ? "wanted" : "not wanted"}`);
    }
  }
});

t.test("what a step carries along", async (t) => {
  const next = (state: State, event: Event, over: Partial<World> = {}): Step =>
    transition(state, event, { ...world, ...over });
  t.match(next(STATES.failed, EVENTS.start).state, { streak: NO_STREAK, byOperator: true });
  t.match(
    next(STATES.backoff, EVENTS.start).state,
    { streak: NO_STREAK, byOperator: true },
    "an operator starts afresh",
  );
  t.match(
    next(STATES.backoff, EVENTS.retry).state,
    { streak, byOperator: false },
    "a retry counts on",
  );
  t.match(next(STATES.backoff, EVENTS.resume).state, { streak, byOperator: false });
  t.match(next(STATES.live, EVENTS.restart).state, {
    run,
    next: "start",
    force: "no",
    failure: null,
  });
  t.match(next(STATES.live, EVENTS.stop).state, { run, next: "rest" });
  t.match(next(STATES.live, EVENTS.refresh).state, { next: "resume" });
  t.match(next(STATES.stopping, EVENTS.start).state, { run, next: "start" }, "start during a stop");
  t.match(
    next(STATES.restarting, EVENTS.stop).state,
    { run, next: "rest" },
    "stop during a restart",
  );
  t.match(next(STATES.timedOut, EVENTS.stop).state, { next: "rest", failure: null });
  t.match(next(STATES.overtaken, EVENTS.start).state, { run: null, next: "start" });
  t.match(next(STATES.overtaken, EVENTS.prepared).state, { run: runWith(300), next: "rest" });
  t.match(next(STATES.live, EVENTS.settled).state, { run, streak: NO_STREAK });
  t.match(next(STATES.starting, EVENTS.startTimeout).state, {
    run,
    failure: { reason: "no-media", permanent: false },
  });
  t.match(next(STATES.backoff, EVENTS.noRoom).state, { why: "no slot", streak });
  t.match(next(STATES.waiting, EVENTS.resume).state, { streak, byOperator: false }, "counts on");
  t.match(next(STATES.stopping, EVENTS.hurry).state, { run, next: "rest", force: "kill" });
  t.match(next(STATES.restarting, EVENTS.lost).state, { byOperator: true });
  t.match(next(STATES.refreshing, EVENTS.lost).state, { byOperator: false });
  t.match(next(STATES.live, EVENTS.lost).state, {
    failure: lost,
    streak: { attempt: 4, outageSince: 900_000 },
  });
  t.match(next(STATES.live, EVENTS.hopeless).state, { failure: hopeless });
  t.match(next(STATES.timedOut, EVENTS.lost).state, { failure: lost, streak: { attempt: 4 } });
  const limited = { ...policy, limit: 3 };
  t.equal(
    next(STATES.live, EVENTS.lost, { policy: limited }).state.is,
    "failed",
    "the limit is reached",
  );
  const signalled = next(STATES.stoppingAgain, EVENTS.escalate).effects.find(
    (effect) => effect.do === "signal",
  );
  t.same(signalled, { do: "signal", run, signal: "SIGKILL" });
  const logged = (step: Step): string[] =>
    step.effects.flatMap((effect) => (effect.do === "log" ? [effect.event] : []));
  t.same(logged(next(STATES.stopping, EVENTS.escalate)), ["FORCE_KILL_REQUIRED"]);
  t.same(logged(next(STATES.stoppingAgain, EVENTS.escalate)), ["force-killed"], "said once");
  t.same(logged(next(STATES.stoppingKill, EVENTS.escalate)), [], "and done more than once");
  t.same(logged(next(STATES.preparing, EVENTS.prepared)), ["started"]);
});

t.test("properties over all pairs", async (t) => {
  const broken: string[] = [];
  for (const state of keys(STATES)) {
    for (const event of keys(EVENTS)) {
      for (const wanted of [true, false]) {
        const before = STATES[state];
        const frozen = JSON.stringify(before);
        const { state: after, effects } = transition(before, EVENTS[event], { ...world, wanted });
        const what = `${state}, ${event}, ${wanted}`;
        if (JSON.stringify(before) !== frozen)
          broken.push(`${what}: the state was changed in place`);
        const had = runOf(before);
        const prepares = effects.filter((effect) => effect.do === "prepare").length;
        if (prepares !== (after.is === "preparing" && after !== before ? 1 : 0)) {
          broken.push(`${what}: entering preparing and preparing go together`);
        }
        const isAdoption = EVENTS[event].type === "adopt";
        if (
          had !== null &&
          EVENTS[event].type !== "exited" &&
          !isAdoption &&
          runOf(after) !== had
        ) {
          broken.push(`${what}: a run that has not ended was lost`);
        }
        if (
          after.is === "live" &&
          before.is !== "live" &&
          !isAdoption &&
          !(before.is === "starting" && event === "flowing")
        ) {
          broken.push(`${what}: live is earned by flowing or adoption`);
        }
        if (!wanted && (EVENTS[event].type === "exited" || EVENTS[event].type === "unprepared")) {
          if (after.is === "backoff" && before.is !== "backoff")
            broken.push(`${what}: retried although nobody wants it`);
        }
        for (const effect of effects) {
          if (effect.do === "signal" && effect.run !== runOf(after))
            broken.push(`${what}: signals a run that it does not have`);
        }
      }
    }
  }
  t.same(broken, []);
  for (const state of keys(STATES)) {
    const stopped = transition(STATES[state], EVENTS.stop, { ...world, wanted: false }).state;
    const held = runOf(stopped);
    const outcome = held === null ? EVENTS.unprepared : EVENTS.lost;
    const end =
      isAtRest(stopped) || stopped.is === "foreign"
        ? stopped
        : transition(stopped, outcome, { ...world, wanted: false }).state;
    t.ok(
      isAtRest(end) || end.is === "foreign",
      `${state}: a stop comes to rest when its process ends`,
    );
  }
});

const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

/** An outside world that only reports what could really happen, and counts processes. */
class Outside {
  alive: Run | null = null;
  pending = 0;
  rechecking = 0;
  wanted = true;
  #pid = 1_000;

  carryOut(effect: Effect, fail: (why: string) => void): void {
    if (effect.do === "prepare") {
      if (this.alive !== null || this.pending > 0) fail("prepared twice");
      this.pending += 1;
    } else if (effect.do === "recheck") this.rechecking += 1;
    else if (effect.do === "signal" && effect.run !== this.alive) fail("signalled somebody else");
    else if (effect.do === "finish") this.wanted = false;
  }

  possible(state: State): Event[] {
    const events: Event[] = [
      { type: "start" },
      { type: "stop" },
      { type: "restart" },
      { type: "refresh" },
      { type: "resume" },
      { type: "no-room", why: "no slot" },
      { type: "hurry" },
    ];
    const due = timerOf(state, timers, world.now);
    if (due !== null) events.push({ type: "timer", timer: due.timer });
    if (this.alive !== null) {
      events.push({ type: "flowing" });
      for (const how of ["ended", "planned", lost, hopeless] as const)
        events.push({ type: "exited", how });
    }
    if (this.pending > 0) {
      events.push(
        { type: "prepared", run: runWith((this.#pid += 2)) },
        { type: "locked", why: "held" },
      );
      for (const failure of [lost, hopeless, missing]) events.push({ type: "unprepared", failure });
    }
    if (this.rechecking > 0)
      events.push({ type: "rechecked", free: true }, { type: "rechecked", free: false });
    return events;
  }

  before(event: Event): void {
    if (event.type === "prepared") this.alive = event.run;
    if (event.type === "prepared" || event.type === "unprepared" || event.type === "locked")
      this.pending -= 1;
    if (event.type === "exited") this.alive = null;
    if (event.type === "rechecked") this.rechecking -= 1;
    if (event.type === "stop") this.wanted = false;
    if (event.type === "start" || event.type === "restart") this.wanted = true;
  }
}

t.test("random lives: one process at most, and it is always the state's", async (t) => {
  const random = seeded(7);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const visited = new Set<string>();
  for (let life = 0; life < 300; life += 1) {
    const outside = new Outside();
    let state: State = { is: "stopped" };
    const trail: string[] = [];
    const fail = (why: string): never => {
      throw new Error(`${why}: ${trail.slice(-12).join(", ")}`);
    };
    for (let steps = 0; steps < 100; steps += 1) {
      const event = pick(outside.possible(state));
      trail.push(event.type);
      outside.before(event);
      const now = world.now + steps * 1_000;
      const step: Step = transition(state, event, {
        ...world,
        now,
        random: random(),
        wanted: outside.wanted,
      });
      state = step.state;
      for (const effect of step.effects) outside.carryOut(effect, fail);
      if (runOf(state) !== outside.alive)
        fail(`${state.is}: the process and the state's run differ`);
      const waits = state.is === "preparing" || (state.is === "stopping" && state.run === null);
      if (waits !== (outside.pending === 1))
        fail(`${state.is} with ${outside.pending} preparations`);
      if (isAtRest(state) && outside.alive !== null) fail("at rest with a process");
      visited.add(state.is);
    }
  }
  t.equal(visited.size, 10, "every state was visited");
});
