import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { askerOf } from "../../daemon/access/asker.ts";
import { Crowd } from "../../daemon/rpc/crowd.ts";
import { type FoundGroup, Group, gidIn, lookUpGroup } from "../../daemon/users/groups.ts";
import { Subordinates } from "../../daemon/users/subordinate.ts";

t.test("who is an admin", async (t) => {
  const users = { nameOf: async (uid: number) => `name-${uid}` };
  const known = { users, admins: { gid: async () => 4200 }, uid: 10 };
  const of = async (uid: number, ...groups: number[]): Promise<unknown> =>
    askerOf({ uid, groups }, known, true);
  t.same(await of(0), { role: "admin", uid: 0, user: "name-0" });
  t.same(await of(10), { role: "admin", uid: 10, user: "name-10" });
  t.same(await of(1000, 100, 4200), { role: "admin", uid: 1000, user: "name-1000" });
  t.same(await of(1000, 100, 4201), { role: "user", uid: 1000, user: "name-1000" });
  t.same(await askerOf(null, known, true), { role: "admin", uid: null, user: null });
  const none = { ...known, admins: { gid: async () => null } };
  t.match(await askerOf({ uid: 1000, groups: [4200] }, none, true), { role: "user" });
  t.match(await askerOf({ uid: 0, groups: [] }, none, true), { role: "admin" });

  const hung = { ...known, users: { nameOf: () => new Promise<string>(() => {}) } };
  t.same(await askerOf({ uid: 0, groups: [] }, hung, true), { role: "admin", uid: 0, user: null });
  t.same(await askerOf({ uid: 0, groups: [] }, hung, false), { role: "admin", uid: 0, user: null });
  const gone = { ...known, users: { nameOf: () => Promise.reject(new Error("not now")) } };
  t.same(await askerOf({ uid: 1000, groups: [] }, gone, true), {
    role: "user",
    uid: 1000,
    user: null,
  });
});

const GROUP = "root:x:0:\nbroken\n+:::\nstreambro-admin:x:996:anna,bob\nodd:x:abc:\n";

t.test("a group file", async (t) => {
  t.same(
    ["root", "streambro-admin", "streambro", "odd", "+", "broken", ""].map((name) =>
      gidIn(GROUP, name),
    ),
    [0, 996, null, null, null, null, null],
  );
});

t.test("groups that are in no file, by whatever answers for them", async (t) => {
  t.same(await lookUpGroup("root"), { is: "group", gid: 0 });
  t.same(await lookUpGroup("no-such-group-here"), { is: "none" });
  const bin = mkdtempSync(path.join(tmpdir(), "sb-getent-"));
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${bin}:${before}`;
  t.teardown(() => {
    process.env["PATH"] = before;
    rmSync(bin, { recursive: true });
  });
  const answers = async (script: string): Promise<FoundGroup> => {
    writeFileSync(path.join(bin, "getent"), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, "getent"), 0o755);
    return lookUpGroup("no-such-group-here");
  };
  const line = "echo no-such-group-here:*:7001:anna";
  t.same(await answers(`[ "$*" = "group no-such-group-here" ] && ${line}`), {
    is: "group",
    gid: 7001,
  });
  t.same(await answers("exit 2"), { is: "none" });
  t.same(await answers("exit 3"), { is: "unknown" });
});

t.test(
  "kept for a minute, asked once by all, and again soon where there was no answer",
  async (t) => {
    let now = 0;
    let asked = 0;
    let answer: FoundGroup = { is: "group", gid: 7 };
    const group = new Group(
      "g",
      async () => ((asked += 1), answer),
      () => now,
    );
    t.same(await Promise.all([group.gid(), group.gid(), group.gid()]), [7, 7, 7]);
    now = 59_000;
    t.equal(await group.gid(), 7);
    t.equal(asked, 1);
    now = 61_000;
    answer = { is: "unknown" };
    t.equal(await group.gid(), null, "not an admin by that group just now");
    now += 4_000;
    t.equal(await group.gid(), null);
    t.equal(asked, 2);
    answer = { is: "none" };
    now += 2_000;
    t.equal(await group.gid(), null);
    t.equal(asked, 3);
    const failing = new Group("g", () => Promise.reject(new Error("no")));
    t.equal(await failing.gid(), null);
  },
);

t.test("connections by user", async (t) => {
  const plain = new Subordinates(() => "");
  const crowd = new Crowd((uid) => uid === 0, plain);
  const enter = (uid: number | null, times: number) =>
    Array.from({ length: times }, () => crowd.enter(uid === null ? null : { uid, groups: [] }));
  const anna = enter(1000, 64);
  t.ok(anna.every(({ ok }) => ok));
  const more = enter(1000, 20);
  t.notOk(more.some(({ ok }) => ok));
  const told = more.filter((one) => !one.ok && one.why !== null);
  t.equal(told.length, 8, "the others are only closed");
  t.match(told[0], { why: /^you have 64 connections to the daemon already/ });
  anna[0]?.leave();
  t.ok(crowd.enter({ uid: 1000, groups: [] }).ok, "a place is free again");
  told[0]?.leave();
  t.match(enter(1000, 1), [{ ok: false, why: String }]);
  for (let uid = 1001; uid < 1007; uid += 1) t.ok(enter(uid, 64).every(({ ok }) => ok));
  t.equal(enter(1007, 64).filter(({ ok }) => ok).length, 480 - 7 * 64, "all users together");
  t.ok(
    enter(0, 100).every(({ ok }) => ok),
    "root is let in",
  );
  t.ok(
    enter(null, 100).every(({ ok }) => ok),
    "and who cannot be told apart",
  );
});

t.test("the numbers of somebody's containers count as one", async (t) => {
  let text = "anna:100000:65536\nbob:165536:65536\nno range\nroot:0:4294967295\n";
  let at = 0;
  const read = (): string => {
    if (text === "") throw new Error("there is none");
    return text;
  };
  const subordinates = new Subordinates(read, () => at);
  const asked = [1000, 99_999, 100_000, 165_535, 165_536, 231_072];
  const counted = (): number[] => asked.map((uid) => subordinates.countedAs(uid));
  t.same(counted(), [1000, 99_999, 100_000, 100_000, 165_536, 231_072]);
  const crowd = new Crowd((uid) => uid === 0, subordinates);
  const enter = (first: number) =>
    Array.from({ length: 80 }, (_, n) => crowd.enter({ uid: first + n, groups: [] }));
  const entered = enter(100_001).filter(({ ok }) => ok);
  t.equal(entered.length, 64);
  t.equal(enter(165_536).filter(({ ok }) => ok).length, 64, "bob's are not anna's");
  for (const one of entered) one.leave();
  t.ok(crowd.enter({ uid: 100_200, groups: [] }).ok, "a place is free again");
  text = "";
  at = 59_999;
  t.equal(subordinates.countedAs(100_001), 100_000, "kept for a minute");
  at = 60_000;
  t.equal(subordinates.countedAs(100_001), 100_001);
});
