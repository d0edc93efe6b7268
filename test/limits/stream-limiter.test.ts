import t from "tap";
import { logRefusedStart, refusedStart } from "../../daemon/limits/refused-start.ts";
import { StreamLimiter } from "../../daemon/limits/stream-limiter.ts";
import type { LimitRefusal, LimitValues } from "../../daemon/limits/stream-limiter.ts";
import { seeded } from "../helpers/seeded.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test("Test StreamLimiter with various user/global limits", async (t) => {
  // Limits per user and in all, limits of users, who runs already, who asks, and which limit says no.
  const cases: ReadonlyArray<
    readonly [number, number, LimitValues["users"], string, string, string | null]
  > = [
    [5, 20, {}, "", "anna", null],
    [5, 20, {}, "anna anna anna anna", "anna", null],
    [5, 20, {}, "anna anna anna anna anna", "anna", "user"],
    [5, 20, {}, "anna anna anna anna anna", "bob", null],
    [5, 3, {}, "anna anna bob", "carl", "global"],
    [2, 2, {}, "anna anna", "anna", "user"],
    [2, 2, {}, "anna anna", "bob", "global"],
    [0, 20, {}, "", "anna", "user"],
    [5, 0, {}, "", "anna", "global"],
    [1, 20, { anna: 3 }, "anna anna", "anna", null],
    [1, 20, { anna: 3 }, "anna anna anna", "anna", "user"],
    [1, 20, { anna: 3 }, "bob", "bob", "user"],
    [5, 20, { anna: 0 }, "", "anna", "user"],
    [5, 2, { anna: 100 }, "anna anna", "anna", "global"],
    [5, 20, {}, "", "__proto__", null],
    [1, 20, {}, "constructor", "constructor", "user"],
  ];
  for (const [perUser, global, users, running, asks, scope] of cases) {
    const limiter = new StreamLimiter(perUser, global, users);
    const owners = running.split(" ").filter((owner) => owner !== "");
    for (const [n, owner] of owners.entries()) limiter.registerStream(`s${n}`, owner);
    const what = `${perUser}/${global} ${JSON.stringify(users)}, [${running}] and ${asks}`;
    const before = await limiter.canStartStream(asks);
    t.equal(before.allowed, scope === null, what);
    const refusal = limiter.reserve("new", asks);
    t.equal(refusal?.scope ?? null, scope, what);
    t.equal(before.reason, refusal?.message, "both give one reason");
    const count = owners.filter((owner) => owner === asks).length;
    t.equal(limiter.getUserStreamCount(asks), count + (scope === null ? 1 : 0), what);
    t.equal(limiter.getGlobalStreamCount(), owners.length + (scope === null ? 1 : 0), what);
    if (refusal === null) continue;
    const reached =
      scope === "user" ? (new Map(Object.entries(users)).get(asks) ?? perUser) : global;
    t.match(refusal.message, new RegExp(`^Maximum ${reached} concurrent streams reached`));
    t.match(refusal, { user: asks, userCount: count, globalCount: owners.length });
    t.throws(() => limiter.registerStream("new", asks), { code: "STREAM_LIMIT_EXCEEDED" });
  }
});

t.test("a slot is taken once, kept, moved and given back", async (t) => {
  const limiter = new StreamLimiter(1, 2);
  t.equal(limiter.reserve("radio", "anna"), null);
  t.equal(limiter.reserve("radio", "anna"), null, "a retry keeps its own");
  t.equal(limiter.getGlobalStreamCount(), 1);
  limiter.hold("film", "anna");
  limiter.hold("news", "anna");
  t.same(limiter.streamsOf("anna"), ["film", "news", "radio"], "what is on the air is counted");
  t.equal(limiter.reserve("film", "anna"), null, "and goes on, over the limit");
  limiter.hold("film", "bob");
  t.same(limiter.counts(), { anna: 2, bob: 1 });
  t.same(limiter.streamsOf(), ["film", "news", "radio"]);
  limiter.unregisterStream("film");
  limiter.unregisterStream("film");
  limiter.unregisterStream("unknown");
  t.same(limiter.counts(), { anna: 2 }, "a user without streams is forgotten");
  t.notOk(limiter.holds("film"));
  t.match(limiter.reserve("more", "bob"), { scope: "global" });
  limiter.unregisterStream("news");
  t.equal(limiter.reserve("more", "bob"), null);
});

t.test("a thousand concurrent starts never pass the limit by one", async (t) => {
  for (const how of ["reserve", "register"] as const) {
    const limiter = new StreamLimiter(50, 120);
    let most = 0;
    const start = async (n: number): Promise<boolean> => {
      const owner = `user${n % 4}`;
      // All are told that there is room before the first of them takes it.
      const { allowed } = await limiter.canStartStream(owner);
      if (!allowed) throw new Error("nobody had started yet");
      await turn();
      try {
        if (how === "register") limiter.registerStream(`s${n}`, owner);
        else if (limiter.reserve(`s${n}`, owner) !== null) return false;
      } catch {
        return false;
      } finally {
        most = Math.max(most, limiter.getGlobalStreamCount());
      }
      await turn();
      return true;
    };
    const started = await Promise.all(Array.from({ length: 1_000 }, (_, n) => start(n)));
    t.equal(started.filter(Boolean).length, 120, how);
    t.equal(most, 120);
    t.ok(Object.values(limiter.counts()).every((count) => count <= 50));
  }
});

t.test("limits change while streams run", async (t) => {
  const limiter = new StreamLimiter(5, 20);
  for (const n of [1, 2, 3, 4]) limiter.registerStream(`s${n}`, "anna");
  limiter.setLimits({ perUser: 2, global: 3, users: {} });
  t.equal(limiter.getUserStreamCount("anna"), 4, "lowering stops nothing");
  t.equal(limiter.reserve("s2", "anna"), null);
  t.match(limiter.reserve("s5", "anna"), { scope: "user", userCount: 4, userLimit: 2 });
  t.match(limiter.reserve("s5", "bob"), { scope: "global", globalCount: 4, globalLimit: 3 });
  limiter.setLimits({ perUser: 2, global: 20, users: { anna: 5 } });
  t.equal(limiter.reserve("s5", "anna"), null);
  t.same(
    ["anna", "bob"].map((user) => limiter.limitOf(user)),
    [5, 2],
  );
  limiter.setEnabled(false);
  for (const n of [6, 7, 8])
    t.equal(limiter.reserve(`s${n}`, "anna"), null, "off, it refuses nothing");
  t.equal(limiter.getUserStreamCount("anna"), 8, "and counts");
  limiter.setEnabled(true);
  t.match(limiter.reserve("s9", "anna"), { scope: "user", userCount: 8 });
});

t.test("who waits is told of room, once a turn and after it", async (t) => {
  const limiter = new StreamLimiter(1, 1);
  let told = 0;
  const end = limiter.onRoom(() => (told += 1));
  const news = async (work: () => void): Promise<number> => {
    const before = told;
    work();
    t.equal(told, before, "not within the turn");
    await turn();
    return told - before;
  };
  t.equal(await news(() => limiter.reserve("a", "anna")), 0, "a slot that is taken is no room");
  t.equal(await news(() => limiter.reserve("b", "anna")), 0);
  t.equal(await news(() => limiter.hold("a", "bob")), 1, "another's now");
  t.equal(await news(() => limiter.unregisterStream("b")), 0, "it had none");
  const both = (): void => {
    limiter.unregisterStream("a");
    limiter.setLimits({ perUser: 3, global: 3, users: {} });
  };
  t.equal(await news(both), 1);
  t.equal(await news(() => limiter.setEnabled(true)), 0, "it was on");
  t.equal(await news(() => limiter.setEnabled(false)), 1);
  t.equal(await news(() => limiter.setEnabled(true)), 0);
  // One who takes the room at once and frees it again is told again, and not for ever.
  limiter.setLimits({ perUser: 1, global: 1, users: {} });
  limiter.reserve("first", "anna");
  const queue = ["second", "third"];
  limiter.onRoom(() => {
    const [next] = queue;
    if (next !== undefined && limiter.reserve(next, "anna") === null) queue.shift();
  });
  limiter.unregisterStream("first");
  await turn();
  t.same([limiter.streamsOf(), queue], [["second"], ["third"]], "by one slot, one");
  end();
  t.equal(await news(() => limiter.unregisterStream("second")), 0, "no more");
  t.same(limiter.streamsOf(), ["third"]);
});

t.test("whatever happens, the counts are those of a simple model", async (t) => {
  const { seed, random } = seeded();
  t.comment(`seed ${seed}`);
  const pick = (n: number): number => Math.floor(random() * n);
  const limiter = new StreamLimiter(3, 8);
  const model = new Map<string, string>();
  let values: LimitValues = limiter.values;
  let enabled = true;
  const of = (user: string): number => [...model.values()].filter((one) => one === user).length;
  const mayStart = (stream: string, user: string): boolean =>
    !enabled ||
    model.has(stream) ||
    (of(user) < (values.users[user] ?? values.perUser) && model.size < values.global);
  for (let step = 0; step < 5_000; step += 1) {
    const [stream, user] = [`s${pick(16)}`, `u${pick(4)}`];
    const action = pick(20);
    if (action < 9) {
      const expected = mayStart(stream, user);
      if ((limiter.reserve(stream, user) === null) !== expected)
        return void t.fail(`step ${step}: reserve ${stream} of ${user}`);
      if (expected) model.set(stream, user);
    } else if (action < 16) {
      limiter.unregisterStream(stream);
      model.delete(stream);
    } else if (action < 17) {
      limiter.hold(stream, user);
      model.set(stream, user);
    } else if (action < 19) {
      const users = pick(2) === 0 ? {} : { [user]: pick(6) };
      values = { perUser: pick(6), global: pick(16), users };
      limiter.setLimits(values);
    } else {
      enabled = pick(4) > 0;
      limiter.setEnabled(enabled);
    }
    const same =
      limiter.getGlobalStreamCount() === model.size &&
      [0, 1, 2, 3].every((n) => limiter.getUserStreamCount(`u${n}`) === of(`u${n}`)) &&
      limiter.holds(stream) === model.has(stream);
    if (!same) return void t.fail(`step ${step}: ${JSON.stringify(limiter.counts())}`);
  }
  t.same(limiter.streamsOf(), [...model.keys()].sort());
});

t.test("a refused start says what is reached and what to do", async (t) => {
  const limiter = new StreamLimiter(5, 20);
  for (const name of ["radio", "news", "chess-night", "cats", "rain"])
    limiter.registerStream(name, "anna");
  for (let n = 0; n < 7; n += 1) limiter.hold(`other${n}`, "bob");
  const refusal = limiter.reserve("lofi", "anna") as LimitRefusal;
  const error = refusedStart("lofi", refusal, limiter, false);
  t.equal(
    error.message,
    "lofi: not started: Maximum 5 concurrent streams reached for anna (global 12 of 20).\n" +
      "Stop one of: cats, chess-night, news, radio, rain.",
  );
  const counts = { userCount: 5, userLimit: 5, globalCount: 12, globalLimit: 20 };
  const facts = { scope: "user", user: "anna", ...counts };
  t.same([error.code, error.details], ["STREAM_LIMIT_EXCEEDED", { httpStatus: 429, ...facts }]);

  limiter.setLimits({ perUser: 5, global: 12, users: { carl: 0 } });
  const full = refusedStart("x", limiter.reserve("x", "dora") as LimitRefusal, limiter, true);
  t.match(full.message, "Maximum 12 concurrent streams reached on this server (dora has 0 of 5).");
  t.match(full.message, /\nStop one of: cats, .* and 2 more\.$/);
  t.match(full.details, { scope: "global", httpStatus: 429 });
  const refused = (user: string): string =>
    refusedStart("x", limiter.reserve("x", user) as LimitRefusal, limiter, false).message;
  t.match(
    refused("dora"),
    /\nTry again later, or ask an admin for: .* --global N$/,
    "no other's names",
  );
  limiter.setLimits({ perUser: 9, global: 12, users: { carl: 0 } });
  t.match(
    refused("anna"),
    /on this server .*\nStop one of: cats, chess-night, news, radio, rain\.$/,
  );
  const none = refusedStart("x", limiter.reserve("x", "carl") as LimitRefusal, limiter, true);
  t.match(none.message, /\nRaise it: streambro limits set --user carl=N$/);
  t.throws(() => limiter.registerStream("lofi", "anna"), { message: /^lofi: not started: Max/ });

  const warned: unknown[] = [];
  const never = (): void => void t.fail("a warning it is");
  const warn = (...line: unknown[]): void => void warned.push(line);
  const log = { debug: never, info: never, error: never, warn, child: () => log };
  logRefusedStart(log, "lofi", refusal);
  t.same(warned, [
    [
      { event: "STREAM_LIMIT_EXCEEDED", stream: "lofi", ...facts },
      "lofi: not started: Maximum 5 concurrent streams reached for anna (global 12 of 20)",
    ],
  ]);
});
