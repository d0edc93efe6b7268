import { setImmediate } from "node:timers/promises";
import t from "tap";
import type { MethodName } from "../../shared/contract/methods.ts";
import { METHODS } from "../../shared/contract/methods.ts";
import { boundedAs } from "../../daemon/access/asker.ts";
import { type GuardedHandlers, guard } from "../../daemon/access/guard.ts";
import { Asking } from "../../daemon/history/asking.ts";
import { changeStream } from "../../daemon/commands/change-stream.ts";
import type { Editing } from "../../daemon/commands/editing.ts";
import type { Caller } from "../../daemon/rpc/server.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { recordingLog } from "../helpers/recording-log.ts";
import { anna, registryOf, seenBy, telling } from "./company.ts";

type Handle = (params: object, caller: Caller) => Promise<object>;

/** Every method waits until it is told what it is answered with; radio is anna's until it is given away. */
const waiting = (showsOthers = true) => {
  const owners: Record<string, string> = { radio: "anna" };
  const answers: Array<(answer: object) => void> = [];
  const handle = (): Promise<object> => new Promise((resolve) => answers.push(resolve));
  const handlers = Object.fromEntries(Object.keys(METHODS).map((method) => [method, handle]));
  const clock = new FakeClock();
  const registry = registryOf(owners);
  const behind = guard(handlers as unknown as GuardedHandlers, {
    ...{ registry, clock, log: recordingLog().log, asking: new Asking() },
    ...{ showsOthers: () => showsOthers, remembers: () => false },
    known: {
      users: { nameOf: async () => "anna" },
      admins: { gid: async () => null },
      uid: 10,
    },
    monotonic: () => clock.at,
  }) as unknown as Record<MethodName, Handle>;
  const caller = { gone: new AbortController().signal, peer: { uid: 1000, groups: [] } };
  const ask = async (method: MethodName): Promise<object> =>
    behind[method]({ name: "radio" }, caller);
  const give = (owner: string): void => {
    const { streams } = registryOf({ radio: owner });
    for (const [name, stream] of streams) registry.streams.set(name, stream);
  };
  return { ask, answers, give, take: () => registry.streams.delete("radio") };
};

t.test("what came to be another's while it was waited for is not told", async (t) => {
  for (const method of ["stream.logs", "stream.show", "stream.command"] as const) {
    const { ask, answers, give } = waiting();
    const asked = ask(method);
    await setImmediate();
    give("bob");
    answers[0]?.({ lines: ["a line of bob's"], spec: {}, argv: [] });
    await t.rejects(asked, { code: "NOT_PERMITTED", message: /belongs to bob/ }, method);
  }
  const { ask, answers, give } = waiting(false);
  const asked = ask("stream.logs");
  await setImmediate();
  give("bob");
  answers[0]?.({ lines: ["a line of bob's"] });
  await t.rejects(asked, { code: "STREAM_NOT_FOUND" }, "nor that it is there");
});

t.test("what is told of a stream is by whose it is then", async (t) => {
  for (const method of ["stream.wait", "stream.set", "stream.stop"] as const) {
    const { ask, answers } = waiting();
    const [given, kept] = [ask(method), ask(method)];
    await setImmediate();
    answers[0]?.({ outcome: "reached", changed: true, stream: telling("radio", "bob") });
    answers[1]?.({ outcome: "reached", changed: true, stream: telling("radio", "anna") });
    t.match(await given, { changed: true, stream: { input: "", outputs: [], note: null } }, method);
    t.match(await kept, { stream: { input: /radio/ } });
  }
  const { ask, answers, take } = waiting();
  const asked = ask("stream.logs");
  await setImmediate();
  take();
  answers[0]?.({ lines: ["one's own last word"] });
  t.match(await asked, { lines: ["one's own last word"] }, "what is gone was one's own");
});

t.test("what is long to read is read by turns", async (t) => {
  const { ask, answers } = waiting();
  const all = Array.from({ length: 3 }, () => ask("history.list"));
  for (let n = 1; n <= 3; n += 1) {
    await setImmediate();
    t.equal(answers.length, n);
    answers[n - 1]?.({ entries: [] });
  }
  await Promise.all(all);
});

t.test("numbers that are nobody's have one bound together", (t) => {
  const bounds = ["uid-4105", "uid-4106", "anna", null].map((user, n) =>
    boundedAs({ role: "user", uid: 4105 + n, user }),
  );
  t.same(bounds, [-1, -1, 4107, 4108]);
  t.end();
});

t.test("a change that waited is not made to what is another's by then", async (t) => {
  const given = { record: { spec: { owner: "bob" } }, inTurn: (work: () => unknown) => work() };
  const editing = { registry: { get: () => given } } as unknown as Editing;
  const change = (showsOthers: boolean): Promise<unknown> => {
    const sight = seenBy(anna, showsOthers);
    const caller = { gone: new AbortController().signal, peer: null, sight };
    return changeStream({ name: "radio", loop: false }, caller, editing);
  };
  await t.rejects(change(true), { code: "NOT_PERMITTED", message: /belongs to bob/ });
  await t.rejects(change(false), { code: "STREAM_NOT_FOUND" });
});
