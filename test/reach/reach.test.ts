import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { lookAt } from "../../daemon/media/look.ts";
import { notReached } from "../../daemon/media/not-reached.ts";
import { unopened } from "../../daemon/media/probe-complaint.ts";
import { parseAccessList } from "../../daemon/reach/access-list.ts";
import { findAccount } from "../../daemon/reach/accounts.ts";
import {
  type Account,
  type Input,
  looking,
  openableName,
  openingOf,
  ownInput,
  playing,
  walking,
} from "../../daemon/reach/input.ts";
import { Reach } from "../../daemon/reach/reach.ts";
import { lineOf, refusalOf, statusOf } from "../../daemon/reach/refusal.ts";

const anna: Account = { name: "anna", uid: 7, gid: 8, groups: [8, 9], home: "/home/anna" };
const nameless: Account = { name: "uid-5", uid: 5, gid: 65_534, groups: [], home: "/" };

t.test("in whose name", async (t) => {
  const found: Record<string, Account | "nobody" | "unknown"> = {
    anna,
    root: { ...anna, name: "root", uid: 0 },
    daemon: { ...anna, name: "daemon", uid: 4 },
    ghost: "nobody",
    late: "unknown",
  };
  let now = 0;
  let asked = 0;
  const find = async (owner: string): Promise<Account | "nobody" | "unknown"> => {
    asked += 1;
    return found[owner] ?? "nobody";
  };
  const reachOf = (uid: number): Reach => new Reach(uid, "/lib/walk.cjs", find, () => now);
  const asOf = async (reach: Reach, owner: string): Promise<string> => {
    const reached = await reach.of(owner, "/film");
    return reached.ok ? reached.input.opening.as : reached.failure.message;
  };
  const [root, service] = [reachOf(0), reachOf(4)];
  t.equal(await asOf(root, "anna"), "owner");
  t.equal(await asOf(root, "root"), "daemon");
  t.equal(await asOf(service, "anna"), "descriptor");
  t.equal(await asOf(service, "daemon"), "daemon");
  t.equal(await asOf(service, "root"), "daemon");
  t.match(
    await asOf(service, "ghost"),
    /^ghost, whose stream it is, is no user of this machine any/,
  );
  t.match(await asOf(service, "late"), /^late, .* cannot be looked up/);
  t.notOk(await service.differs("root", "daemon"));
  t.ok(await service.differs("root", "anna"));
  const before = asked;
  await asOf(service, "anna");
  t.equal(asked, before, "kept for a while");
  now = 10_500;
  await Promise.all(Array.from({ length: 20 }, async () => asOf(service, "anna")));
  t.equal(asked, before + 1, "streams that ask at the same time ask once");
  now = 21_000;
  found["anna"] = "unknown";
  t.equal(await asOf(service, "anna"), "descriptor", "what was known stands in for no answer");
  await asOf(service, "anna");
  t.equal(asked, before + 2, "which is not waited for at each start");
  now = 32_000;
  found["anna"] = "nobody";
  t.match(await asOf(service, "anna"), /is no user/, "and no longer than that");
});

t.test("what is run", async (t) => {
  const own = ownInput("/a film");
  t.same(looking(own, ["stat", "x"]), ["stat", "x"]);
  t.same(playing(own, "/run/x", ["ffmpeg"]), ["ffmpeg"]);
  t.same(walking(own, ["sh"]), ["sh"]);
  t.equal(openableName(own), "/a film");
  t.equal(openingOf(own), null);

  const hers: Input = { path: "/f", opening: { as: "owner", account: anna } };
  const become =
    "-u TMPDIR HOME=/home/anna USER=anna LOGNAME=anna setpriv --reuid 7 --regid 8 --groups 8,9 --no-new-privs --inh-caps=-all";
  t.equal(looking(hers, ["stat", "/f"]).join(" "), `env ${become} stat /f`);
  t.equal(playing(hers, "/run/x", ["ffmpeg"]).join(" "), `env -C /run/x ${become} ffmpeg`);
  t.same(walking(hers, ["sh"]), ["sh"], "its runner is the daemon's");
  t.equal(openableName(hers), "/f");
  const none: Input = { path: "/f", opening: { as: "owner", account: nameless } };
  t.match(looking(none, ["stat"]).join(" "), /--reuid 5 --regid 65534 --clear-groups /);

  const opening = { as: "descriptor", account: anna, program: "/w.cjs", daemon: "sb" } as const;
  const walked: Input = { path: "/f", opening };
  t.same(looking(walked, ["stat", "x"]), [
    process.execPath,
    "/w.cjs",
    "7",
    "8,9",
    "/f",
    "stat",
    "x",
  ]);
  t.same(playing(walked, "/run/x", ["ffmpeg"]), ["ffmpeg"]);
  t.equal(openableName(walked), "/proc/self/fd/6");
  t.same(openingOf(walked), { as: "descriptor" });

  const said = (is: Parameters<typeof notReached>[2], at: string): string =>
    notReached(walked, "anna", is, at);
  t.match(
    said("forbidden", "/srv/x/"),
    /^anna may not read \/f: \/srv\/x is closed to that user\. /,
  );
  t.match(said("forbidden", "/f"), /^anna may not read \/f\. /);
  t.match(said("closed", "/home/it's/"), /setfacl -m u:sb:x '\/home\/it'\\''s'$/);
  t.match(said("closed", "/f"), /setfacl -m u:sb:r \/f$/);
  t.match(unopened(own, "forbidden").message, /by the user that streambrod runs as/);
});

t.test("a program that does not run is no bad disk", async (t) => {
  const folder = t.testdir({
    film: "x",
    throws: "throw new Error('/film: Permission denied')",
    none: "",
  });
  for (const name of ["missing", "throws", "none"]) {
    const program = path.join(folder, name);
    const opening = { as: "descriptor", account: anna, program, daemon: "sb" } as const;
    const input = { path: path.join(folder, "film"), opening };
    t.same(await lookAt(input, 10_000), { failed: "walker" }, name);
    t.match(unopened(input, "walker").message, /streambro-reach.*does not run\. Install/);
  }
  const { PATH = "" } = process.env;
  t.teardown(() => (process.env["PATH"] = PATH));
  const setpriv = path.join(folder, "setpriv");
  writeFileSync(setpriv, "#!/bin/sh\necho 'setpriv: setresuid failed' >&2\nexit 1\n");
  chmodSync(setpriv, 0o755);
  process.env["PATH"] = `${folder}:${PATH}`;
  const hers: Input = { path: "/f", opening: { as: "owner", account: anna } };
  t.same(await lookAt(hers, 10_000), { failed: "setpriv" }, "no right to become the owner");
  rmSync(setpriv);
  process.env["PATH"] = folder;
  for (const name of ["env", "sh", "stat"])
    symlinkSync(`/usr/bin/${name}`, path.join(folder, name));
  t.same(await lookAt(hers, 10_000), { failed: "setpriv" }, "there is none");
});

t.test("what the program says", async (t) => {
  const refused = { is: "forbidden", at: '/a "b"\n/' } as const;
  t.same(refusalOf(statusOf("forbidden"), `noise\n${lineOf(refused)}`), refused);
  t.same(refusalOf(80, ""), { is: "forbidden", at: "" });
  t.same(refusalOf(81, lineOf(refused)), { is: "closed", at: "" }, "the status counts");
  for (const status of [0, 1, 75, 79, 87, 126, 127, null]) t.equal(refusalOf(status, ""), null);
});

t.test("access lists that are none", async (t) => {
  const list = (...entries: (readonly [number, number, number])[]): Buffer => {
    const bytes = Buffer.alloc(4 + 8 * entries.length);
    bytes.writeUInt32LE(2);
    for (const [n, [tag, bits, id]] of entries.entries()) {
      bytes.writeUInt16LE(tag, 4 + 8 * n);
      bytes.writeUInt16LE(bits, 6 + 8 * n);
      bytes.writeUInt32LE(id, 8 + 8 * n);
    }
    return bytes;
  };
  const good = list([1, 6, 0], [2, 4, 7], [4, 0, 0], [16, 5, 0], [32, 0, 0]);
  const expected = { users: [{ id: 7, bits: 4 }], group: 0, groups: [], mask: 5, other: 0 };
  t.match(parseAccessList(good), expected);
  for (const end of [0, 3, 11, good.length - 1])
    t.equal(parseAccessList(good.subarray(0, end)), null);
  t.equal(parseAccessList(Buffer.from(good).fill(3, 0, 1)), null, "of another version");
  t.equal(parseAccessList(list([1, 6, 0])), null, "cut short");
});

t.test("accounts of this machine", async (t) => {
  const never = (): boolean => false;
  t.match(await findAccount("root", never), { uid: 0, gid: 0, groups: [0], home: "/root" });
  t.match(await findAccount("root", (uid) => uid === 0), { uid: 0, groups: [0] });
  t.same(await findAccount("uid-4201", never), { ...nameless, name: "uid-4201", uid: 4_201 });
  for (const name of ["nosuchuser", "-x", "", "0", "a:b", "root\n"])
    t.equal(await findAccount(name, never), "nobody", JSON.stringify(name));
});
