import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { SERVICE, asUser, binariesAs, cannotBeOthers } from "../helpers/as-user.ts";
import type { Finished } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { processOf } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const CLI = path.resolve(import.meta.dirname, "../../bin/streambro");

/** Users that every Debian has, and nobody is: only users of the machine may have streams. */
const [ANNA, ANNAS_GROUP, BOB] = [5, 60, 6];
const NAMES = { [ANNA]: "games", [BOB]: "man" };
const areThere = Object.entries(NAMES).every(([uid, name]) =>
  new RegExp(`^${name}:[^:]*:${uid}:`, "m").test(readFileSync("/etc/passwd", "utf8")),
);
const skip = (await cannotBeOthers()) ?? (areThere ? false : "no users games (5) and man (6) here");

const scratch = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), "sb-reach-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
};

/** A film in a folder of its own, with owner, group and modes. */
const place = async (
  folder: string,
  [uid, gid]: readonly [number, number],
  [folderMode, mode]: readonly [number, number],
): Promise<string> => {
  mkdirSync(folder);
  const file = path.join(folder, "film.mp4");
  copyFileSync(await renderFilm({ seconds: 3, size: "160x90" }), file);
  for (const one of [file, folder]) chownSync(one, uid, gid);
  chmodSync(file, mode);
  chmodSync(folder, folderMode);
  return file;
};

const statusOf = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [first] = streams;
  if (first === undefined) throw new Error(`no status of ${name}`);
  return first;
};

const live = (daemon: Daemon, name: string, notPid = 0): Promise<StreamStatus> =>
  until(
    `${name} is live`,
    async () => {
      const status = await statusOf(daemon, name);
      return status.state === "live" && status.pid !== notPid ? status : null;
    },
    30_000,
  );

const openToAll = (daemon: Daemon): void => {
  chmodSync(daemon.dir, 0o755);
  chmodSync(daemon.runtimeDir, 0o755);
  chmodSync(daemon.socket, 0o666);
};

const word = (pid: number | null, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ??
  "";

t.test("a daemon that is one of many users", { skip, timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const folder = scratch();
  const films = {
    annas: await place(path.join(folder, "anna"), [ANNA, SERVICE], [0o750, 0o640]),
    bobs: await place(path.join(folder, "bob"), [BOB, SERVICE], [0o750, 0o640]),
    private: await place(path.join(folder, "private"), [ANNA, ANNA], [0o700, 0o600]),
  };
  const dir = path.join(folder, "daemon");
  mkdirSync(dir);
  chownSync(dir, SERVICE, SERVICE);
  const bin = binariesAs(SERVICE, path.join(folder, "bin"));
  const env = { INPUT_RETRY_MS: "300", RETRY_MAX_DELAY_MS: "500" };
  const daemon = await startDaemon({ dir, bin, env });
  t.teardown(() => daemon.end());
  openToAll(daemon);
  const cli = (uid: number, ...args: string[]): Promise<Finished> =>
    asUser(uid, CLI, args, { env: daemon.env });
  const add = (uid: number, name: string, input: string): Promise<Finished> =>
    cli(uid, "add", name, "--input", input, "--to", `${server.url}/${name}`);

  t.test("nothing is learnt of what the owner may not read", async (t) => {
    const bobs = await add(ANNA, "x", films.bobs);
    t.match(bobs, { code: 1 });
    const says = `x: not added: games may not read ${films.bobs}: ${path.dirname(films.bobs)} is closed to that user.`;
    t.ok(bobs.stderr.includes(says), bobs.stderr);
    const none = path.join(path.dirname(films.bobs), "none.mp4");
    const missing = await add(ANNA, "x", none);
    t.equal(missing.stderr, bobs.stderr.replaceAll(films.bobs, none), "nor whether it is there");
    t.match(await add(BOB, "x", films.bobs), { code: 0 }, "its owner may");
    const link = path.join(folder, "link.mp4");
    symlinkSync(films.bobs, link);
    t.match(await add(ANNA, "y", link), { code: 1, stderr: /games may not read/ });
    t.match(await add(ANNA, "y", films.private), {
      code: 1,
      stderr: new RegExp(`setfacl -m u:4203:x ${path.dirname(films.private)}\\n`),
    });
    t.match(await add(ANNA, "y", "/proc/self/environ"), {
      code: 1,
      stderr: /is a pipe or a device/,
    });
  });

  t.test("what is played is what was judged, again and again", async (t) => {
    t.equal((await add(ANNA, "radio", films.annas)).code, 0);
    t.match(await cli(ANNA, "set", "radio", "--input", films.bobs), {
      code: 1,
      stderr: /may not read/,
    });
    const given = await daemon.cli("set", "radio", "--owner", "nobody");
    t.match(given, { code: 1, stderr: /nobody may not read/ }, "handed over to who may not");
    t.match(await statusOf(daemon, "radio"), { owner: "games", input: films.annas });
    t.equal((await cli(ANNA, "start", "radio", "--wait")).code, 0);
    const { pid } = await live(daemon, "radio");
    t.equal(readlinkSync(`/proc/${pid}/fd/6`), films.annas);
    t.equal(readlinkSync(path.join(daemon.runtimeDir, "runs/radio/item-0.mp4")), "/proc/self/fd/6");
    // Three seconds long: by now it has been opened again.
    await until(
      "the second pass",
      async () => ((await statusOf(daemon, "radio")).position?.cycle ?? 0) >= 1,
      30_000,
    );
    await daemon.restart("SIGKILL");
    openToAll(daemon);
    t.match(await live(daemon, "radio"), { pid, restarts: 0 }, "adopted");

    // Another film by the same name, which the owner may not read.
    renameSync(films.annas, `${films.annas}.away`);
    symlinkSync(films.bobs, films.annas);
    t.equal(processOf(pid ?? 0)?.pid, pid, "it goes on with what it has open");
    process.kill(pid ?? 0, "SIGKILL");
    const refused = await until(
      "it is refused",
      async () => {
        const status = await statusOf(daemon, "radio");
        return status.state === "backoff" && status.lastError?.code === "input-missing"
          ? status
          : null;
      },
      20_000,
    );
    t.match(refused.lastError?.message, /^games may not read /);
    rmSync(films.annas);
    renameSync(`${films.annas}.away`, films.annas);
    const { pid: next } = await live(daemon, "radio", pid ?? 0);
    chmodSync(films.annas, 0o040);
    process.kill(next ?? 0, "SIGKILL");
    await until(
      "its mode was taken away",
      async () => (await statusOf(daemon, "radio")).state === "backoff",
      20_000,
    );
    chmodSync(films.annas, 0o640);
    await live(daemon, "radio", next ?? 0);
    t.equal(server.mostAtOnce("radio"), 1);
  });
});

t.test("a daemon that is root", { skip, timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const folder = scratch();
  const annas = await place(path.join(folder, "anna"), [ANNA, ANNA], [0o700, 0o600]);
  const bobs = await place(path.join(folder, "bob"), [BOB, BOB], [0o700, 0o600]);
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  openToAll(daemon);
  const cli = (uid: number, ...args: string[]): Promise<Finished> =>
    asUser(uid, CLI, args, { env: daemon.env });
  const to = ["--to", `${server.url}/anna`];
  const bad = await cli(ANNA, "add", "anna", "--input", bobs, ...to);
  t.match(bad, { code: 1 });
  t.ok(bad.stderr.includes(`anna: not added: games may not read ${bobs}.`), bad.stderr);
  const added = await cli(ANNA, "add", "anna", "--input", annas, ...to, "--start");
  t.equal(added.code, 0, added.stderr);
  const { pid } = await live(daemon, "anna");
  t.match(word(pid, "Uid"), /^5\s+5\s+5\s+5$/);
  t.match(word(pid, "Gid"), /^60\s+60\s+60\s+60$/);
  t.equal(word(pid, "Groups").trim(), String(ANNAS_GROUP));
  t.equal(word(pid, "CapPrm"), "0000000000000000");
  t.equal(word(pid, "NoNewPrivs"), "1");
  const { environment = [], parent = 0 } = processOf(pid ?? 0) ?? {};
  t.ok(environment.includes("HOME=/usr/games"), "its home is not root's");
  t.match(word(parent, "Uid"), /^0\s/, "its runner stays root's");

  const run = path.join(daemon.runtimeDir, "runs/anna");
  const { uid, mode } = statSync(path.join(run, "output-0.ffpreset"), { throwIfNoEntry: true });
  t.same([uid, (mode & 0o777).toString(8)], [ANNA, "400"], "the key");
  for (const who of [ANNA, BOB])
    for (const name of ["output-0.ffpreset", "run.json", "outer.ffconcat", "pids", "item-0.mp4"]) {
      const read = await asUser(who, "cat", [path.join(run, name)]);
      t.match(read, { code: 1, stderr: /Permission denied/ }, `${who} ${name}`);
    }
  const written = await asUser(ANNA, "sh", ["-c", `echo 0 >/proc/${pid}/cwd/exit`]);
  t.not(written.code, 0, "nor from within");
  const reopened = await asUser(ANNA, "sh", ["-c", `: >>/proc/${pid}/fd/3`]);
  t.not(reopened.code, 0, "what it reports is written by FFmpeg alone");

  await daemon.restart("SIGKILL");
  openToAll(daemon);
  t.match(await live(daemon, "anna"), { pid, restarts: 0 }, "adopted");
  process.kill(pid ?? 0, "SIGKILL");
  const { pid: next } = await live(daemon, "anna", pid ?? 0);
  t.match(word(next, "Uid"), /^5\s/, "again as its owner");
  // Without its run directory: found by its marker.
  await daemon.kill("SIGKILL");
  rmSync(path.join(run, "run.json"));
  rmSync(path.join(run, "pids"));
  await daemon.start();
  openToAll(daemon);
  t.match(await statusOf(daemon, "anna"), { pid: next, state: "live" });
  t.ok(existsSync(path.join(run, "run.json")), "laid out again");
  t.equal(statSync(path.join(run, "outer.ffconcat")).uid, ANNA);

  const all = await place(path.join(folder, "all"), [0, 0], [0o755, 0o644]);
  const own = ["add", "own", "--input", all, "--to", `${server.url}/own`, "--start"];
  t.match(await daemon.cli(...own), { code: 0 });
  const { pid: roots } = await live(daemon, "own");
  t.match(word(roots, "Uid"), /^0\s/, "root's own stream is root's");
  t.equal(statSync(path.join(daemon.runtimeDir, "runs/own")).mode & 0o777, 0o700);
  // As a release that knew no owners' rights has left one: root's process, another's stream.
  const given = await daemon.cli("set", "own", "--owner", "nobody");
  t.match(given, { code: 0, stderr: /restart/ });
  await daemon.restart("SIGKILL");
  openToAll(daemon);
  t.match(await live(daemon, "own"), { pid: roots, owner: "nobody" }, "it is adopted");
  t.equal((await daemon.cli("restart", "own", "--wait")).code, 0);
  t.match(
    word((await live(daemon, "own", roots ?? 0)).pid, "Uid"),
    /^65534\s/,
    "and then the owner's",
  );

  // FFmpeg of another user has no way to a directory that was made anew: it is started again.
  rmSync(run, { recursive: true });
  const { pid: after } = await live(daemon, "anna", next ?? 0);
  t.match(word(after, "Uid"), /^5\s/);
  t.equal((await cli(ANNA, "stop", "anna", "--wait")).code, 0);
  t.equal(processOf(after ?? 0), null);
  await until("what the run has left is cleared away", () => !existsSync(run), 10_000);
  t.equal(server.mostAtOnce("anna"), 1);
});
