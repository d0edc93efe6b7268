import { setImmediate } from "node:timers/promises";
import t from "tap";
import { METHODS, type MethodName } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";
import { type GuardedHandlers, guard } from "../../daemon/access/guard.ts";
import { Asking } from "../../daemon/history/asking.ts";
import type { Peer } from "../../daemon/rpc/peer.ts";
import type { Caller, Handlers } from "../../daemon/rpc/server.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type Line, recordingLog } from "../helpers/recording-log.ts";
import { registryOf, telling } from "./company.ts";

const ADMINS = 4200;
const NAMES: Readonly<Record<number, string>> = { 0: "root", 1000: "anna", 1001: "bob" };

type Handle = (params: object, caller: Caller) => Promise<object>;

/** Handlers that answer with what they are told to, behind the guard. */
const guarded = (handles: Readonly<Record<string, Handle>> = {}) => {
  const { log, lines } = recordingLog();
  const clock = new FakeClock();
  const called: string[] = [];
  const asking = new Asking();
  const by: unknown[] = [];
  const all = Object.keys(METHODS).map((method): [string, Handle] => [
    method,
    async (params, caller) => {
      called.push(method);
      by.push(asking.current);
      return (await handles[method]?.(params, caller)) ?? { changed: true, streams: [] };
    },
  ]);
  const handlers = guard(Object.fromEntries(all) as unknown as GuardedHandlers, {
    registry: registryOf({ radio: "anna", news: "bob" }),
    ...{ showsOthers: () => true, remembers: () => false, asking, log, clock },
    known: {
      users: {
        nameOf: async (uid) => {
          const name = NAMES[uid];
          if (name === undefined) throw new StreamBroError("OPERATION_FAILED", "not just now");
          return name;
        },
      },
      admins: { gid: async () => ADMINS },
      uid: 10,
    },
    monotonic: () => clock.at,
  });
  const gone = new AbortController();
  const ask = (method: MethodName, params: object, peer: Peer | null): Promise<unknown> =>
    (handlers as Handlers & Record<string, Handle>)[method](params as never, {
      gone: gone.signal,
      peer,
    });
  return { ask, called, lines, clock, by, gone };
};

const peer = (uid: number, ...groups: number[]): Peer => ({ uid, groups });
const audited = (lines: readonly Line[]): unknown[] =>
  lines.flatMap(({ event, method, stream, uid, user, outcome, code, changed }) =>
    event === "audit" ? [[method, stream, uid, user, outcome, code, changed]] : [],
  );

t.test("a refusal comes before the command, and both are audited", async (t) => {
  const { ask, called, lines, by } = guarded({
    "stream.restart": async () => {
      throw new StreamBroError("STORAGE_FAILED", "no room");
    },
    "stream.remove": () => Promise.reject(new Error("a bug, with /a/path and a key")),
    "stream.start": async () => ({ changed: false }),
  });
  const secrets = { input: "/srv/secret", to: "rtmp://h/secret", key: "secret" };
  const set = {
    name: "radio",
    ...secrets,
    encoding: { fps: 25, preset: undefined },
    restart: true,
  };
  await ask("stream.set", set, peer(1000));
  await t.rejects(ask("stream.stop", { name: "radio" }, peer(1001)), { code: "NOT_PERMITTED" });
  await t.rejects(ask("stream.restart", { name: "radio" }, peer(1000)), { code: "STORAGE_FAILED" });
  await t.rejects(ask("stream.remove", { name: "radio" }, peer(1000)), /a bug/);
  await ask("stream.start", { name: "radio" }, peer(1000));
  await ask("stream.show", { name: "radio" }, peer(1000));
  await t.rejects(ask("stream.show", { name: "radio" }, peer(1001)));
  await ask("stream.stop", { name: "radio" }, peer(1001, 7, ADMINS));
  await ask("stream.stop", { name: "radio" }, null);
  await ask("limits.set", { users: { anna: 3 } }, peer(10));
  await ask("stream.stop", { name: "radio" }, peer(4711, ADMINS));
  t.same(called, [
    ...["stream.set", "stream.restart", "stream.remove", "stream.start", "stream.show"],
    ...["stream.stop", "stream.stop", "limits.set", "stream.stop"],
  ]);
  t.same(audited(lines), [
    ["stream.set", "radio", 1000, "anna", "done", null, ["input", "to", "key", "fps"]],
    ["stream.stop", "radio", 1001, "bob", "refused", "NOT_PERMITTED", []],
    ["stream.restart", "radio", 1000, "anna", "refused", "STORAGE_FAILED", []],
    ["stream.remove", "radio", 1000, "anna", "failed", null, []],
    ["stream.stop", "radio", 1001, "bob", "done", null, []],
    ["stream.stop", "radio", null, null, "done", null, []],
    ["limits.set", null, 10, null, "done", null, ["users"]],
    ["stream.stop", "radio", 4711, null, "done", null, []],
  ]);
  t.notMatch(JSON.stringify(lines), /secret|\/a\/path/);
  t.match(lines[0]?.sentence, "anna (uid 1000): stream.set radio: done: input, to, key, fps");
  t.match(by[0], { command: "stream.set", by: { uid: 1000, user: "anna" }, isAdmin: false });
  t.match(by[5], { by: { uid: 1001 }, isAdmin: true });
  t.equal(by[4], null, "what changes nothing is nobody's doing");
});

t.test("what the command saw of others does not get out", async (t) => {
  const all = [telling("news", "bob"), telling("radio", "anna")];
  const { ask } = guarded({ "stream.status": async () => ({ version: 1, streams: all }) });
  t.match(await ask("stream.status", {}, peer(1000)), {
    streams: [{ input: "" }, { input: /radio/ }],
  });
  t.same(await ask("stream.status", {}, peer(0)), { version: 1, streams: all });
});

t.test("refusals are counted past ten a minute", async (t) => {
  const { ask, lines, clock } = guarded();
  const refused = (uid: number): Promise<unknown> =>
    ask("daemon.stop", {}, peer(uid)).catch(() => null);
  for (let n = 0; n < 60; n += 1) await refused(1000);
  await refused(1001);
  t.equal(lines.length, 11);
  await ask("stream.stop", { name: "radio" }, peer(1000));
  t.equal(lines.length, 12, "what was done is told in any case");
  clock.pass(60_000);
  t.match(lines.at(-1), { event: "audit", uid: 1000, more: 50, outcome: "refused" });
  t.match(lines.at(-1)?.sentence, "uid 1000: 50 more attempts were refused within a minute");
  t.equal(lines.length, 13, "nothing of whom nothing was left out");
  await refused(1000);
  t.equal(lines.length, 14, "and anew");
  clock.pass(60_000);
  t.equal(clock.waiting, 0);
});

t.test("a user has so many changes, and regains them", async (t) => {
  const { ask, clock, called } = guarded();
  const stop = (uid: number): Promise<unknown> => ask("stream.stop", { name: "radio" }, peer(uid));
  for (let n = 0; n < 500; n += 1) await stop(1000);
  await t.rejects(stop(1000), { code: "TOO_MANY_REQUESTS", message: /500 changes .* Try again/ });
  t.equal(called.length, 500);
  await ask("stream.status", {}, peer(1000));
  await stop(0);
  clock.pass(1_000);
  await stop(1000);
  await t.rejects(stop(1000));
  for (let n = 0; n < 3_000; n += 1) await ask("daemon.config", {}, peer(1000)).catch(() => null);
  await t.rejects(ask("daemon.config", {}, peer(1000)), { code: "TOO_MANY_REQUESTS" });
  await ask("daemon.config", {}, peer(1001));
});

t.test("inputs are looked at by turns, and nobody waits for another user's", async (t) => {
  const under: Array<() => void> = [];
  const add: Handle = () => new Promise((resolve) => under.push(() => resolve({})));
  const { ask, called, gone } = guarded({ "stream.add": add, "stream.command": add });
  const settled: string[] = [];
  const begin = (method: MethodName, name: string, uid: number): void => {
    const asked = ask(method, { name }, peer(uid));
    void asked.then(
      () => settled.push(name),
      (error: StreamBroError) => settled.push(`${name} ${error.code}`),
    );
  };
  for (let n = 0; n < 6; n += 1) begin("stream.add", `a${n}`, 1000);
  begin("stream.command", "radio", 1000);
  await setImmediate();
  t.equal(called.length, 4);
  begin("stream.add", "b", 1001);
  for (let n = 0; n < 6; n += 1) begin("stream.add", `r${n}`, 0);
  await setImmediate();
  t.equal(called.length, 11, "bob does not wait, nor does root");
  under[0]?.();
  await setImmediate();
  t.equal(called.length, 12, "the next of anna's");
  t.same(settled, ["a0"]);
  gone.abort();
  await setImmediate();
  t.same(
    settled,
    ["a0", "a5 OPERATION_FAILED", "radio OPERATION_FAILED"],
    "who has gone is not waited for",
  );
  for (const end of under) end();
  await setImmediate();
  t.equal(settled.length, 14);
});

t.test("whose name cannot be found out is nobody", async (t) => {
  const { ask, called, lines } = guarded();
  await t.rejects(ask("stream.status", {}, peer(4711)), { code: "OPERATION_FAILED" });
  await t.rejects(ask("stream.add", { name: "x" }, peer(4711)), { message: /user 4711 cannot be/ });
  t.same(called, []);
  t.match(lines, [{ uid: 4711, user: null, outcome: "refused" }]);
});
