import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { METHODS, type MethodName } from "../../shared/contract/methods.ts";
import type { StreamBroError } from "../../shared/errors.ts";
import { refusalOf } from "../../daemon/access/guard.ts";
import { RIGHTS, rightTo } from "../../daemon/access/rights.ts";
import { admin, anna, seenBy } from "./company.ts";

/** Who may, and whether it changes something, as docs/rpc.md has it. */
const documented = new Map(
  [
    ...readFileSync(path.resolve(import.meta.dirname, "../../docs/rpc.md"), "utf8").matchAll(
      /^\| `([a-z]+\.[a-z]+)` +\| (\w+) +\| (\w*) +\|/gm,
    ),
  ].map(([, method = "", who, changes]) => [method, `${who} ${changes}`]),
);

t.test("the table is what is documented, for each method that there is", async (t) => {
  t.same(Object.keys(RIGHTS), Object.keys(METHODS), "in the contract's order");
  t.same([...documented.keys()], Object.keys(METHODS));
  for (const method of Object.keys(RIGHTS) as MethodName[]) {
    const row = rightTo(method);
    const changes = typeof row.changes === "function" ? row.changes({}) : row.changes;
    t.equal(documented.get(method), `${row.who} ${changes ? "yes" : ""}`, method);
  }
});

type Case = readonly [method: MethodName, params: object, code: string | null, words?: RegExp];

const ask = (
  method: MethodName,
  params: object,
  sight = seenBy(anna, true),
): StreamBroError | null => refusalOf(rightTo(method), params, sight);

t.test("what a user may, others' streams being visible", async (t) => {
  const others = /^news: belongs to bob; only bob and members of streambro-admin may stop it\.$/;
  const cases: readonly Case[] = [
    ["stream.stop", { name: "radio" }, null],
    ["stream.stop", { name: "news" }, "NOT_PERMITTED", others],
    ["stream.stop", { name: "nothing" }, "STREAM_NOT_FOUND"],
    ["stream.set", { name: "radio", loop: true }, null],
    ["stream.set", { name: "radio", owner: "anna" }, "NOT_PERMITTED", /^--owner is for root, /],
    ["stream.add", { name: "more" }, null],
    ["stream.add", { name: "more", owner: "anna" }, "NOT_PERMITTED", /Leave it out\.$/],
    ["stream.status", { names: ["radio", "news"] }, null],
    ["stream.status", { names: ["radio", "nothing", "news"] }, "STREAM_NOT_FOUND", /^nothing: /],
    ["events.subscribe", { names: ["news"] }, null],
    ["history.list", {}, null],
    ["history.list", { names: ["radio", "old"] }, null],
    ["history.list", { names: ["news"] }, "NOT_PERMITTED", /may read its history\.$/],
    ["history.list", { names: ["older"] }, "STREAM_NOT_FOUND"],
    ["encoders.get", {}, null],
    ["encoders.get", { refresh: true }, "NOT_PERMITTED"],
    ["daemon.metrics", {}, null],
    ["daemon.stop", {}, "NOT_PERMITTED", /members of streambro-admin may stop the daemon\.$/],
    ["daemon.reload", {}, "NOT_PERMITTED"],
    ["limits.set", {}, "NOT_PERMITTED", /may change limits\.$/],
  ];
  for (const [method, params, code, words = /./] of cases) {
    const refusal = ask(method, params);
    t.equal(refusal?.code ?? null, code, `${method} ${JSON.stringify(params)}`);
    if (refusal !== null) t.match(refusal.message, words);
    t.equal(ask(method, params, seenBy(admin, false)), null, "an admin may all");
  }
});

t.test("what is hidden is in the words of what is not there", async (t) => {
  const hidden = seenBy(anna, false);
  const named = Object.keys(RIGHTS).filter((method) => method.startsWith("stream."));
  const both = (method: MethodName, of: (name: string) => object): void => {
    const [one, other] = ["news", "nope"].map((name) => ask(method, of(name), hidden));
    const told = (refusal: StreamBroError | null | undefined, name: string): unknown => [
      ...[refusal?.code, refusal?.message.replaceAll(name, "NAME"), refusal?.details],
    ];
    t.equal(one?.code, "STREAM_NOT_FOUND", method);
    t.same(told(one, "news"), told(other, "nope"), method);
  };
  for (const method of named as MethodName[])
    if (RIGHTS[method].who === "owner") both(method, (name) => ({ name }));
  for (const method of ["stream.status", "events.subscribe", "history.list"] as const) {
    both(method, (name) => ({ names: ["radio", name] }));
    // Whichever comes first: the order must not tell which of two is there.
    const [first, second] = [
      ["news", "nope"],
      ["nope", "news"],
    ].map((names) => ask(method, { names }, hidden));
    t.match([first?.message, second?.message], [/^news: there is no/, /^nope: there is no/]);
  }
  t.equal(ask("daemon.metrics", {}, hidden)?.code, "NOT_PERMITTED", "they name everybody's");
});

t.test("whose name cannot be found out just now has nothing", async (t) => {
  const nameless = seenBy({ role: "user", uid: 1000, user: null }, true);
  for (const method of Object.keys(RIGHTS) as MethodName[]) {
    const refusal = ask(method, { name: "radio" }, nameless);
    t.match(
      refusal,
      { code: "OPERATION_FAILED", message: /^user 1000 cannot be looked up/ },
      method,
    );
  }
});

t.test("a number that is no user's gets no streams, and so no limit of its own", async (t) => {
  const container = seenBy({ role: "user", uid: 100_000, user: "uid-100000" }, true);
  t.match(ask("stream.add", { name: "more" }, container), {
    ...{ code: "NOT_PERMITTED", message: /^uid 100000 is no user of this machine/ },
  });
  t.equal(ask("stream.status", {}, container), null);
  const root = seenBy({ role: "admin", uid: 100_000, user: "uid-100000" }, true);
  t.equal(ask("stream.add", { name: "more" }, root), null, "unless it is an admin's");
});

t.test("limits where others are hidden", async (t) => {
  const limits = {
    ...{ version: 1, enabled: true, perUser: 5, global: 20, users: { anna: 9, bob: 7 } },
    origin: { perUser: "settings", global: "settings" },
    active: { global: 3, users: { anna: 1, bob: 2 } },
    waiting: ["news", "radio"],
  } as const;
  const { view } = rightTo("limits.get");
  t.same(view?.(limits, seenBy(anna, true)), limits);
  t.same(view?.(limits, seenBy(admin, false)), limits);
  t.same(view?.(limits, seenBy(anna, false)), {
    ...limits,
    users: { anna: 9 },
    active: { global: 3, users: { anna: 1 } },
    waiting: ["radio"],
  });
});
