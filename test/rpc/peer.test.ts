import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { listen } from "../../daemon/rpc/listen.ts";
import { askTheKernel } from "../../daemon/rpc/peer-credentials.ts";
import type { PeerReader } from "../../daemon/rpc/peer.ts";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { asNobody, canBeNobody } from "../helpers/nobody.ts";

const own = process.geteuid?.() ?? -1;
const home = mkdtempSync(path.join(tmpdir(), "sb-peer-"));
chmodSync(home, 0o755);
t.teardown(() => rmSync(home, { recursive: true }));
let serial = 0;

/** A listener that answers every line with the uid it was told, and what it complained of. */
const opened = async (
  t: { teardown(work: () => unknown): void },
  peerOf?: PeerReader,
): Promise<{ file: string; complaints: string[] }> => {
  const file = path.join(home, `${(serial += 1)}.sock`);
  const complaints: string[] = [];
  const listening = await listen(
    file,
    async (_, { peer }) => String(peer === null ? null : peer.uid),
    (error) => complaints.push(error.message),
    peerOf,
  );
  if (!listening.ok) throw new Error(listening.message);
  t.teardown(() => listening.listener.close());
  chmodSync(file, 0o666);
  return { file, complaints };
};

/** What one line is answered with; empty where the connection ends instead. */
const asked = (file: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = net.connect(file, () => socket.write("who am I\n"));
    socket.on("data", (chunk: Buffer) => {
      resolve(chunk.toString().trim());
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(""));
  });

t.test("the kernel tells who is at the other end", async (t) => {
  const asking = await askTheKernel();
  t.equal(asking.whyNot, null);
  const { file } = await opened(t, asking.peerOf);
  t.equal(await asked(file), String(own));
  const many = await Promise.all(Array.from({ length: 100 }, () => asked(file)));
  t.same(new Set(many), new Set([String(own)]));

  const script = `const s = require("net").connect(${JSON.stringify(file)}, () => s.write("x\\n"));
    s.on("data", (chunk) => { console.log(String(chunk).trim()); s.destroy(); });`;
  const args = ["-e", script];
  const another = await command(process.execPath, args, { env: plainEnvironment() });
  t.equal(another.stdout.trim(), String(own), "another process");
  if (!(await canBeNobody())) {
    t.comment("nobody else to be");
    return;
  }
  const nobody = await asNobody(process.execPath, args, { env: plainEnvironment() });
  t.equal(nobody.stdout.trim(), "65534", nobody.stderr);
  const far = ["--reuid", "4000000001", process.execPath, ...args];
  const unsigned = await command("setpriv", far, { env: plainEnvironment() });
  t.equal(unsigned.stdout.trim(), "4000000001", unsigned.stderr);
});

t.test("a kernel that cannot be asked is not, and it says why", async (t) => {
  const missing = Object.assign(new Error("Cannot find module 'koffi'\nRequire stack:"), {
    code: "MODULE_NOT_FOUND",
  });
  const wrong = { pid: process.pid, uid: own + 1, gid: 0, groups: [] };
  const cases: ReadonlyArray<readonly [Parameters<typeof askTheKernel>[0], RegExp]> = [
    [() => Promise.reject(missing), /^the package koffi is not installed$/],
    [() => Promise.reject(new Error("wrong ELF class")), /^wrong ELF class$/],
    [async () => () => wrong, /it told uid \d+ of a connection made for trial/],
    [async () => () => ({ ...wrong, pid: 0, uid: own }), /it told uid/],
    [
      async () => () => {
        throw new Error("SO_PEERCRED is refused");
      },
      /SO_PEERCRED is refused/,
    ],
  ];
  for (const [load, why] of cases) {
    const asking = await askTheKernel(load);
    t.match(asking.whyNot, why);
    const { file } = await opened(t, asking.peerOf);
    t.equal(await asked(file), "null", "everybody is served, and nobody is known");
  }
});

t.test("a connection of which nothing is told is not served", async (t) => {
  let calls = 0;
  const { file, complaints } = await opened(t, () => {
    calls += 1;
    if (calls === 1) throw new Error("SO_PEERCRED is refused");
    return { uid: 7, groups: [] };
  });
  t.equal(await asked(file), "");
  t.same(complaints, ["SO_PEERCRED is refused"]);
  t.equal(await asked(file), "7", "others are");
});

t.test("the groups of whoever connected", async (t) => {
  const { peerOf } = await askTheKernel();
  const file = path.join(home, "groups.sock");
  const listening = await listen(
    file,
    async (_, { peer }) => JSON.stringify(peer?.groups ?? null),
    () => {},
    peerOf,
  );
  if (!listening.ok) throw new Error(listening.message);
  t.teardown(() => listening.listener.close());
  chmodSync(file, 0o666);
  t.same(new Set(JSON.parse(await asked(file))), new Set(process.getgroups?.()));
  if (!(await canBeNobody())) {
    t.comment("nobody else to be");
    return;
  }
  const script = `const s = require("net").connect(${JSON.stringify(file)}, () => s.write("x\\n"));
    let all = "";
    s.on("data", (chunk) => { all += chunk; if (all.endsWith("\\n")) { console.log(all); s.destroy(); } });`;
  const groupsOf = async (...ids: string[]): Promise<unknown> => {
    const args = [...ids, process.execPath, "-e", script];
    return JSON.parse((await command("setpriv", args, { env: plainEnvironment() })).stdout);
  };
  const plain = ["--reuid", "4001", "--regid", "4002"];
  t.same(await groupsOf(...plain, "--clear-groups"), [4002]);
  t.same(await groupsOf(...plain, "--groups", "4003,4294967294"), [4002, 4003, 4_294_967_294]);
  const many = Array.from({ length: 2_000 }, (_, n) => 10_000 + n);
  t.same(await groupsOf(...plain, "--groups", many.join(",")), [4002, ...many], "room is made");
});

t.test("groups that are not told, or not these, are not believed", async (t) => {
  const gid = process.getegid?.() ?? -1;
  for (const groups of [null, [gid, 4_999]]) {
    const peer = { pid: process.pid, uid: own, gid, groups };
    const { peerOf, whyNot } = await askTheKernel(async () => () => peer);
    t.equal(whyNot, null);
    const socket = new net.Socket();
    Object.assign(socket, { _handle: { fd: 7, close: () => {} } });
    t.same(peerOf(socket), { uid: own, groups: [gid] }, "the primary group alone");
  }
});
