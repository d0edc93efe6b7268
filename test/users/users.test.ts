import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import t from "tap";
import { type Found, type LookUp, find, lookUp } from "../../daemon/users/look-up.ts";
import { Users } from "../../daemon/users/users.ts";
import { type Owners, ownerFor } from "../../daemon/commands/owner.ts";
import type { Caller } from "../../daemon/rpc/server.ts";

const PASSWD =
  "root:x:0:0::/:/bin/sh\n+::::::\nbroken\nanna:x:1000:1000:Anna:/home/anna:\n7:x:12:1::/:\n";

t.test("a password file", async (t) => {
  const cases: ReadonlyArray<readonly [string, string | null]> = [
    ["root", "root"],
    ["0", "root"],
    ["anna", "anna"],
    ["1000", "anna"],
    ["ann", null],
    ["Anna", null],
    ["+", null],
    ["7", null],
    ["12", "7"],
    ["", null],
    ["99999999999999999999", null],
  ];
  for (const [key, name] of cases) t.equal(find(PASSWD, key)?.name ?? null, name, `"${key}"`);
});

t.test("this machine's users", async (t) => {
  const { username, uid } = userInfo();
  t.same(await lookUp(username), { is: "user", user: { name: username, uid } });
  t.same(await lookUp(String(uid)), { is: "user", user: { name: username, uid } });
  const nobodies = [
    "no-such-user-here",
    "4294967000",
    "--help",
    "-s",
    "a:b",
    "a\nb",
    "",
    "x".repeat(65),
  ];
  for (const key of nobodies) t.same(await lookUp(key), { is: "nobody" }, JSON.stringify(key));
});

t.test("users that are in no file, by whatever answers for them", async (t) => {
  const bin = mkdtempSync(path.join(tmpdir(), "sb-getent-"));
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${bin}:${before}`;
  t.teardown(() => {
    process.env["PATH"] = before;
    rmSync(bin, { recursive: true });
  });
  const answers = async (script: string, withinMs?: number): Promise<Found> => {
    writeFileSync(path.join(bin, "getent"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return lookUp("4294967000", withinMs);
  };
  const user = { name: "CORP\\anna b", uid: 4_294_967_000 };
  const line = `'%s\\n' '${user.name}:*:${user.uid}:1::/:'`;
  t.same(await answers(`[ "$*" = "passwd 4294967000" ] && printf ${line}`), { is: "user", user });
  t.same(await answers(`printf ${line}; exit 2`), { is: "nobody" });
  t.same(await answers("echo nonsense"), { is: "nobody" });
  t.same(await answers("exit 0"), { is: "nobody" });
  t.same(await answers("exec sleep 600", 100), { is: "unknown" }, "one that hangs is given up");
  t.same(await answers(`printf ${line}`), { is: "user", user }, "and asked again");
  process.env["PATH"] = bin;
  rmSync(path.join(bin, "getent"));
  t.same(await lookUp("4294967000"), { is: "nobody" }, "without getent, what is in the file");
  t.match(await lookUp("0"), { is: "user" });
});

const anna: Found = { is: "user", user: { name: "anna", uid: 1000 } };
const nobody: Found = { is: "nobody" };

t.test("one question for all, kept for a while, again where there was no answer", async (t) => {
  let asked: string[] = [];
  let now = 0;
  let silent = false;
  const look: LookUp = async (key) => {
    asked.push(key);
    await new Promise((resolve) => setImmediate(resolve));
    if (silent) return { is: "unknown" };
    return key === "1000" || key.toLowerCase() === "anna" ? anna : nobody;
  };
  const users = new Users(look, () => now);
  const names = Array.from({ length: 50 }, () => users.nameOf(1000));
  t.same(new Set(await Promise.all(names)), new Set(["anna"]));
  t.equal(await users.nameOf(4711), "uid-4711");
  t.equal(await users.named("ANNA"), "anna", "as the machine spells it");
  await t.rejects(users.named("bob"), { code: "INVALID_SPEC", message: /bob is no user of this/ });
  t.same(asked, ["1000", "4711", "ANNA", "bob"]);
  asked = [];
  now = 59_000;
  await users.nameOf(1000);
  t.same(asked, []);
  now = 61_000;
  silent = true;
  await t.rejects(users.nameOf(1000), { code: "OPERATION_FAILED", message: /does not answer/ });
  await t.rejects(users.named("anna"), { code: "OPERATION_FAILED" });
  silent = false;
  t.equal(await users.nameOf(1000), "anna", "asked again at once");
  for (let uid = 0; uid < 1_500; uid += 1) await users.nameOf(5_000 + uid);
  asked = [];
  await users.nameOf(6_499);
  await users.nameOf(5_000);
  t.same(asked, ["5000"], "the oldest was forgotten");
});

t.test("one name a number, and one number a name", async (t) => {
  const passwd: Record<string, { name: string; uid: number }> = {
    "1000": { name: "anna", uid: 1000 },
    anna: { name: "anna", uid: 1000 },
    anna2: { name: "anna2", uid: 1000 },
    "1001": { name: "uid-4711", uid: 1001 },
    "uid-4711": { name: "uid-4711", uid: 1001 },
  };
  const users = new Users(async (key) => {
    const user = passwd[key];
    return user === undefined ? nobody : { is: "user", user };
  });
  t.equal(await users.named("anna2"), "anna", "a second name has no limit of its own");
  t.equal(await users.nameOf(4711), "uid-4711");
  t.equal(await users.nameOf(1001), "uid-1001", "nor is anybody who is not of that name");
  t.equal(await users.named("uid-4711"), "uid-1001");
});

t.test("a directory that hangs holds up nobody else, and gets few questions", async (t) => {
  const under: Array<(found: Found) => void> = [];
  const look: LookUp = (key) =>
    key === "1000" ? Promise.resolve(anna) : new Promise((resolve) => under.push(resolve));
  const users = new Users(look);
  t.equal(await users.nameOf(1000), "anna");
  const hung = Array.from({ length: 20 }, (_, n) => users.nameOf(n).catch(() => "refused"));
  t.equal(under.length, 8);
  t.equal(await users.nameOf(1000), "anna", "what is known is known");
  for (const answer of under) answer(nobody);
  const names = await Promise.all(hung);
  t.same([names[0], names[7], names[8]], ["uid-0", "uid-7", "refused"]);
  t.equal(names.filter((name) => name === "refused").length, 12);
  const later = users.nameOf(2_000);
  under.at(-1)?.(nobody);
  t.equal(await later, "uid-2000", "and it can be asked again");
});

t.test("whose stream it becomes", async (t) => {
  const look: LookUp = async (key) => {
    const name = new Map([
      ["0", "root"],
      ["10", "stream"],
      ["1000", "anna"],
      ["bob", "bob"],
      ["1001", "bob"],
      ["toor", "root"],
    ]).get(key);
    const uid = name === "bob" ? 1001 : Number(key) || 0;
    return name === undefined ? nobody : { is: "user", user: { name, uid } };
  };
  const owners: Owners = { users: new Users(look), uid: 10 };
  const caller = (uid: number | null): Caller => ({
    gone: new AbortController().signal,
    peer: uid === null ? null : { uid, groups: [] },
  });
  const cases: ReadonlyArray<readonly [number | null, string | undefined, string]> = [
    [1000, undefined, "anna"],
    [4711, undefined, "uid-4711"],
    [0, undefined, "root"],
    [10, undefined, "stream"],
    [null, undefined, "stream"],
    [0, "bob", "bob"],
    [10, "bob", "bob"],
    [10, "nosuchuser", "INVALID_SPEC"],
    [0, "1001", "bob"],
    [0, "toor", "root"],
    [null, "bob", "NOT_PERMITTED"],
    [null, "stream", "NOT_PERMITTED"],
  ];
  for (const [uid, asked, expected] of cases) {
    const owner = await ownerFor(caller(uid), asked, owners).catch((error) => error.code);
    t.equal(owner, expected, `${uid} asks for ${asked}`);
  }
});
