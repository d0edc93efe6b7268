import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import t from "tap";
import type { Params } from "../../shared/contract/methods.ts";
import type { Finished } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film } from "../helpers/film.ts";
import { asNobody, canBeNobody } from "../helpers/nobody.ts";
import type { RpcFailure } from "../helpers/rpc.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TO = "rtmp://127.0.0.1:9/app";
const own = userInfo().username;

const nobody = (daemon: Daemon, ...args: string[]): Promise<Finished> =>
  asNobody(`${ROOT}/bin/streambro`, args, { env: daemon.env });

/** Lets everybody connect, as a group's members could. */
const openToAll = ({ dir, socket }: Daemon): void => {
  chmodSync(dir, 0o755);
  chmodSync(socket, 0o666);
};

t.test("whose streams are whose, and who sets limits", { timeout: 60_000 }, async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await film();
  const add = (name: string): string[] => ["add", name, "--input", input, "--to", TO];
  const ownerOf = async (name: string): Promise<string> =>
    (await daemon.rpc("stream.show", { name })).spec.owner;
  const { warnings } = await daemon.rpc("daemon.status", {});
  t.same(warnings, [], "the kernel can be asked");

  t.equal((await daemon.cli(...add("mine"))).code, 0);
  t.equal(await ownerOf("mine"), own);
  const ghost = await daemon.cli(...add("ghost"), "--owner", "nosuchuser");
  t.match(ghost, { code: 78, stderr: /^ghost: not added: nosuchuser is no user of this machine/ });
  t.equal((await daemon.cli(...add("given"), "--owner", "nobody")).code, 0);
  t.equal(await ownerOf("given"), "nobody");
  t.equal((await daemon.cli("set", "given", "--owner", String(process.geteuid?.()))).code, 0);
  t.equal(await ownerOf("given"), own, "a number is a user, too");
  t.equal((await daemon.cli("set", "given", "--owner", "nosuchuser")).code, 78);

  const set = ["limits", "set", "--per-user", "8", "--user", `${own}=12`];
  t.match(await daemon.cli(...set), {
    code: 0,
    stderr: `limits: 8 per user, 20 in all, ${own} 12\n`,
  });
  t.equal((await daemon.cli("limits", "set", "--user", "nosuchuser=1")).code, 78);
  t.equal((await daemon.cli("limits", "set", "--global", "-1")).code, 2);
  await daemon.restart("SIGKILL");
  const limits = { perUser: 8, global: 20, users: { [own]: 12 }, waiting: [] };
  t.match(await daemon.rpc("limits.get", {}), limits, "kept over a kill");
  t.match(
    (await daemon.cli("limits")).stdout,
    /^per user +8 {2}\(limits set\)\nglobal +20 {2}\(setting\)\n/,
  );

  if (!(await canBeNobody())) {
    t.comment("nobody else to be");
    return;
  }
  openToAll(daemon);
  const theirs = await nobody(daemon, ...add("theirs"));
  t.equal(theirs.code, 0, theirs.stderr);
  t.equal(await ownerOf("theirs"), "nobody");
  for (const owner of ["root", "nobody"]) {
    const refused = await nobody(daemon, ...add("stolen"), "--owner", owner);
    t.match(
      refused,
      { code: 77, stderr: /^stolen: not added: --owner is for root, the daemon's own user and/ },
      owner,
    );
  }
  t.match(await nobody(daemon, "set", "theirs", "--owner", "root"), { code: 77 });
  t.equal(await ownerOf("theirs"), "nobody");
  t.match(await nobody(daemon, "limits", "set", "--global", "99"), {
    code: 77,
    stderr:
      /^limits: not changed: only root, the daemon's own user and members of .* may change limits/,
  });
  t.match(await nobody(daemon, "limits", "-q"), { code: 0, stdout: "" });
  t.match(await daemon.rpc("limits.get", {}), limits, "as they were");
  t.notOk(daemon.events().some(({ event }) => event === "internal"));
});

t.test("without koffi everybody is the daemon's own user", { timeout: 60_000 }, async (t) => {
  // What is released, in a place from where no package is to be found.
  const place = mkdtempSync(path.join(tmpdir(), "sb-bare-"));
  chmodSync(place, 0o755);
  for (const part of ["bin", "dist", "package.json"])
    cpSync(path.join(ROOT, part), path.join(place, part), { recursive: true });
  mkdirSync(path.join(place, ".node/bin"), { recursive: true });
  symlinkSync(process.execPath, path.join(place, ".node/bin/node"));
  t.teardown(() => rmSync(place, { recursive: true }));
  const daemon = await startDaemon({ bin: path.join(place, "bin") });
  t.teardown(() => daemon.end());

  const warning =
    "The kernel cannot be asked who is at the other end of the socket (the package koffi is not " +
    `installed): every stream belongs to ${own}, --owner is refused, and whoever may use the socket may do everything.`;
  t.same((await daemon.rpc("daemon.status", {})).warnings, [warning]);
  const said = daemon.events().filter(({ msg }) => msg === warning);
  t.match(said, [{ level: "warn", event: "start-up" }], "once");
  t.match((await daemon.cli("daemon", "status")).stdout, `warning:     ${warning}`);

  const input = await film();
  const wanted: Params<"stream.add"> = { name: "radio", input, to: TO };
  const failure = await daemon.rpc("stream.add", { ...wanted, owner: own }).then(
    () => null,
    (error: RpcFailure) => error.data,
  );
  t.match(failure, { code: "NOT_PERMITTED" });
  await daemon.rpc("stream.add", wanted);
  t.equal((await daemon.rpc("stream.show", { name: "radio" })).spec.owner, own);
  t.match(await daemon.rpc("limits.set", { perUser: 6 }), { perUser: 6 }, "the mode has decided");
  const file = path.join(daemon.stateDir, "limits.json");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
  await daemon.restart();
  t.match((await daemon.rpc("daemon.status", {})).warnings, [/limits\.json\.unreadable-/, warning]);
  t.match(await daemon.rpc("limits.get", {}), { perUser: 5 });
  if (!(await canBeNobody())) return;
  openToAll(daemon);
  const add = ["add", "theirs", "--input", input, "--to", TO];
  t.match(await nobody(daemon, ...add, "--owner", "nobody"), {
    code: 77,
    stderr: /^theirs: not added: --owner is refused: the kernel cannot be asked/,
  });
  t.equal((await nobody(daemon, ...add)).code, 0);
  t.equal((await daemon.rpc("stream.show", { name: "theirs" })).spec.owner, own);
});
