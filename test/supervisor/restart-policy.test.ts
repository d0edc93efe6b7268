import t from "tap";
import type { Failure } from "../../daemon/ffmpeg/failure.ts";
import { type RestartPolicy, afterFailure } from "../../daemon/supervisor/restart-policy.ts";
import { NO_STREAK, type Run, type State } from "../../daemon/supervisor/state.ts";
import { timerOf } from "../../daemon/supervisor/timers.ts";
import type { Streak } from "../../daemon/store/schemas.ts";
import { seeded } from "../helpers/seeded.ts";

const policy: RestartPolicy = {
  firstMs: 500,
  maxMs: 10_000,
  maxLaterMs: 60_000,
  youngMs: 300_000,
  inputMs: 45_000,
  limit: 0,
};
const failure = (reason: Failure["reason"], permanent = false): Failure => ({
  reason,
  permanent,
  message: "m",
});
const lost = failure("network-lost");

const retried = (
  why: Failure,
  streak: Streak,
  now: number,
  random: number,
  over: Partial<RestartPolicy> = {},
): { afterMs: number; streak: Streak } => {
  const verdict = afterFailure(why, streak, { ...policy, ...over }, now, random);
  if (!verdict.retry) throw new Error("it gave up");
  return verdict;
};

t.test("delays of fifty attempts stay within their bounds", async (t) => {
  for (const random of [0, 0.999]) {
    for (const [outageMs, cap] of [
      [0, 10_000],
      [299_999, 10_000],
      [300_000, 60_000],
      [86_400_000, 60_000],
    ] as const) {
      const delays: number[] = [];
      for (let attempt = 1; attempt <= 50; attempt += 1) {
        const streak = { attempt: attempt - 1, outageSince: 1_000_000, kills: [] };
        const { afterMs, streak: next } = retried(lost, streak, 1_000_000 + outageMs, random);
        const whole = attempt === 1 ? 500 : Math.min(cap, 500 * 2 ** (attempt - 1));
        const least = attempt === 1 ? 0 : whole / 2;
        if (afterMs < least || afterMs > whole)
          t.fail(`attempt ${attempt}: ${afterMs} not in ${least}..${whole}`);
        if (next.attempt !== attempt || next.outageSince !== 1_000_000)
          t.fail(`attempt ${attempt}: miscounted`);
        delays.push(afterMs);
      }
      t.same(
        delays.toSorted((a, b) => a - b),
        delays,
        `never shorter than before, random ${random}, outage ${outageMs}`,
      );
      t.ok((delays.at(-1) ?? 0) >= cap * 0.5 && (delays.at(-1) ?? 0) <= cap);
    }
  }
});

t.test(
  "an outage begins with its first failure, and a clock that jumps back restarts it",
  async (t) => {
    const first = retried(lost, NO_STREAK, 5_000_000, 0.5);
    t.equal(first.streak.outageSince, 5_000_000);
    const later = retried(lost, first.streak, 5_600_000, 0);
    t.equal(later.streak.outageSince, 5_000_000);
    const back = retried(lost, { ...later.streak, attempt: 20 }, 1_000, 0.999);
    t.equal(back.streak.outageSince, 1_000, "never in the future");
    t.ok(back.afterMs <= 10_000, "so the outage is young again");
    t.ok(
      retried(lost, { attempt: 20, outageSince: 1, kills: [] }, Number.MAX_SAFE_INTEGER, 0.999)
        .afterMs <= 60_000,
    );
  },
);

t.test("two hundred streams that lose one host together do not come back together", async (t) => {
  // Always the same ones: chance would break any bound one day.
  const { random } = seeded(20_261_123);
  const streams = Array.from({ length: 200 }, () => ({ at: 1_000, streak: NO_STREAK }));
  /** Of all retries, so many in the fullest tenth of a second at most. */
  const most = [0.3, 0.25, 0.2, 0.12, 0.1, 0.1, 0.1, 0.1];
  for (const [failures, part] of most.entries()) {
    for (const stream of streams) {
      // A host that is down refuses at once: the worst case, since nothing else spreads them out.
      const verdict = retried(lost, stream.streak, stream.at, random());
      Object.assign(stream, { at: stream.at + verdict.afterMs, streak: verdict.streak });
    }
    const buckets = new Map<number, number>();
    for (const { at } of streams)
      buckets.set(Math.floor(at / 100), (buckets.get(Math.floor(at / 100)) ?? 0) + 1);
    const fullest = Math.max(...buckets.values()) / streams.length;
    const text = `failure ${failures + 1}: ${(100 * fullest).toFixed(1)} % within 100 ms`;
    t.ok(fullest <= part, text);
  }
});

t.test("permanent failures and the limit end it", async (t) => {
  t.same(afterFailure(failure("codec-unsupported", true), NO_STREAK, policy, 0, 0), {
    retry: false,
  });
  const limited = { ...policy, limit: 3 };
  t.ok(afterFailure(lost, { ...NO_STREAK, attempt: 2 }, limited, 0, 0).retry);
  t.notOk(afterFailure(lost, { ...NO_STREAK, attempt: 3 }, limited, 0, 0).retry);
  t.ok(
    afterFailure(lost, { ...NO_STREAK, attempt: 1_000_000 }, policy, 0, 0).retry,
    "0 never gives up",
  );
  for (const reason of ["input-missing", "input-corrupt"] as const) {
    t.equal(retried(failure(reason), { ...NO_STREAK, attempt: 9 }, 0, 0.9).afterMs, 45_000, reason);
    t.ok(retried(failure(reason), NO_STREAK, 0, 0.9).afterMs <= 500, "once it is looked for soon");
  }
});

t.test("thirty kills in five minutes are forgiven, one more is not", async (t) => {
  const killed = failure("killed");
  const before: Streak = { attempt: 4, outageSince: 10, kills: [] };
  let streak = before;
  for (let kill = 1; kill <= 30; kill += 1) {
    const verdict = retried(killed, streak, 1_000_000 + kill, 0.999);
    if (verdict.afterMs > 500 || verdict.streak.attempt !== 4) t.fail(`kill ${kill} counted`);
    streak = verdict.streak;
  }
  t.equal(streak.kills.length, 30);
  const counted = retried(killed, streak, 1_000_031, 0.5);
  t.equal(counted.streak.attempt, 5);
  t.ok(counted.afterMs > 500);
  t.ok(counted.streak.kills.length <= 100, "what is stored stays within its schema");
  const later = retried(killed, counted.streak, 1_000_031 + 300_000, 0.5);
  t.equal(later.streak.attempt, 5, "after five minutes they are forgotten");
  t.same(later.streak.kills, [1_300_031]);
  t.same(
    retried(killed, streak, 500, 0.5).streak.kills,
    [500],
    "kills from the future are no kills",
  );
  t.notOk(
    afterFailure(killed, { ...streak, attempt: 2 }, { ...policy, limit: 2 }, 1_000_031, 0).retry,
    "the limit holds for them",
  );
});

t.test("odd settings never make a busy loop or a longer wait than the longest", async (t) => {
  const tenth = { attempt: 9, outageSince: 0, kills: [] };
  t.ok(
    retried(lost, tenth, 0, 0, { firstMs: 0 }).afterMs >= 100,
    "no first delay is no reason for none at all",
  );
  t.ok(
    retried(lost, NO_STREAK, 0, 0.999, { firstMs: 60_000, maxMs: 100 }).afterMs <= 100,
    "the first one is capped too",
  );
  t.ok(
    retried(lost, tenth, 1_000_000, 0.999, { maxLaterMs: 100 }).afterMs <= 10_000,
    "later is never less patient",
  );
});

const run: Run = { pids: { runner: null, ffmpeg: { pid: 9, startTime: 1 } }, startedAt: 0 };
const stopping = { is: "stopping", run, next: "rest", failure: null, streak: NO_STREAK } as const;

t.test("one timer a state", async (t) => {
  const settings = { startTimeoutMs: 30_000, forceKillMs: 5_000, resetMs: 300_000 };
  const rows: readonly [State, string | null, number][] = [
    [{ is: "stopped" }, null, 0],
    [{ is: "finished" }, null, 0],
    [{ is: "failed", failure: lost }, null, 0],
    [{ is: "preparing", streak: NO_STREAK, byOperator: true }, null, 0],
    [{ is: "backoff", failure: lost, streak: NO_STREAK, retryAt: 1_700 }, "retry", 700],
    [{ is: "backoff", failure: lost, streak: NO_STREAK, retryAt: 3 }, "retry", 0],
    [{ is: "starting", run, streak: NO_STREAK }, "start-timeout", 30_000],
    [{ is: "live", run, streak: NO_STREAK }, "settled", 300_000],
    [{ ...stopping, run: null, force: "no" }, null, 0],
    [{ ...stopping, force: "no" }, "escalate", 1_000],
    [{ ...stopping, force: "again" }, "escalate", 4_000],
    [{ ...stopping, force: "kill" }, "escalate", 1_000],
    [{ is: "foreign", why: "", streak: NO_STREAK }, "recheck", 10_000],
  ];
  for (const [state, timer, afterMs] of rows) {
    const expected = timer === null ? null : { timer, afterMs };
    const due = timerOf(state, settings, 1_000);
    t.same(
      due && { timer: due.timer, afterMs: due.afterMs },
      expected,
      JSON.stringify(state).slice(0, 60),
    );
  }
  for (const forceKillMs of [0, 1, 999, 1_000, 1_001, 600_000]) {
    const at = (force: "no" | "again"): number =>
      timerOf({ ...stopping, force }, { ...settings, forceKillMs }, 0)?.afterMs ?? Number.NaN;
    t.equal(
      at("no") + at("again"),
      forceKillMs,
      `SIGKILL comes ${forceKillMs} ms after the first SIGTERM`,
    );
    t.ok(at("no") >= 0 && at("again") >= 0);
  }
});
