import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import type { Finished } from "../helpers/command.ts";
import { isContiguousPiece } from "../helpers/contiguous.ts";
import { bootDebian } from "../helpers/debian.ts";
import { film } from "../helpers/film.ts";
import { packetHashes } from "../helpers/packets.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { whyNoContainer } from "../helpers/systemd.ts";
import { until } from "../helpers/until.ts";
import { brokenDeb, buildDeb } from "./built.ts";

/** Another Debian than this machine's: see scripts/test-package. */
const fresh = process.env["STREAMBRO_TEST_DEBIAN"];
const SOON_MS = 30_000;
const FETCH_MS = 600_000;

t.test(
  "the package on a booted Debian",
  { skip: whyNoContainer() ?? false, timeout: fresh === undefined ? 240_000 : 900_000 },
  async (t) => {
    const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-install-"));
    chmodSync(scratch, 0o755);
    t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
    const source = await film();
    copyFileSync(source, path.join(scratch, "film.mp4"));
    const [first, second] = [await buildDeb(scratch), await buildDeb(scratch, "--revision", "2")];
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const debian = await bootDebian(scratch, fresh);
    if (typeof debian === "string") {
      t.test("a container", { skip: debian }, async () => {});
      return;
    }
    t.teardown(() => debian.stop());
    const { run } = debian;
    const apt = (...args: string[]): Promise<Finished> =>
      debian.runFor(
        FETCH_MS,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-y",
        "-q",
        ...args,
      );
    const dpkg = (...args: string[]): Promise<Finished> => run("dpkg", ...args);
    const inside = (file: string): string => `/media/${path.basename(file)}`;
    const show = async (property: string): Promise<string> =>
      (await run("systemctl", "show", "-p", property, "--value", "streambro")).stdout.trim();
    const anna = (...args: string[]): Promise<Finished> =>
      run("setpriv", "--reuid=anna", "--regid=anna", "--init-groups", "streambro", ...args);
    const stream = async (): Promise<StreamStatus | undefined> => {
      const { stdout } = await anna("ls", "--json");
      const parsed: { readonly streams: readonly StreamStatus[] } = JSON.parse(stdout);
      return parsed.streams[0];
    };
    /** Waits for another daemon than `pid`, and for what it says of the stream. */
    const another = async (pid: string): Promise<StreamStatus | undefined> =>
      until(
        "another daemon answers",
        async () => {
          const now = await show("MainPID");
          const isUp = now !== "0" && now !== pid && (await show("SubState")) === "running";
          return isUp && (await anna("ls")).code === 0 ? ((await stream()) ?? null) : null;
        },
        SOON_MS,
      );
    t.teardown(async () => {
      if (t.passing()) return;
      const journal = await run("journalctl", "-b", "--no-pager", "-u", "streambro");
      t.comment(journal.stdout);
      t.comment((await run("streambro", "history")).stdout);
    });
    const killDaemon = (): Promise<Finished> =>
      run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "streambro");
    const onTheAir = (): number =>
      server.publishes().filter(({ endedMs }) => endedMs === null).length;
    const exists = (file: string): boolean => existsSync(path.join(debian.root, file));

    const ownFiles = async (): Promise<string[]> => {
      const found = await run(
        "find",
        "/etc",
        "/usr",
        "/var",
        "/run",
        "-xdev",
        "-name",
        "*streambro*",
      );
      return found.stdout.trim().split("\n").sort();
    };
    const filesBefore = await ownFiles();

    await t.test("an installation gives a running service, and its group a command", async (t) => {
      // A fresh one has no lists yet, and FFmpeg is to be fetched.
      if (fresh !== undefined) t.equal((await apt("update")).code, 0);
      // What is only recommended would have to be fetched.
      const alone = fresh === undefined ? ["--no-install-recommends"] : [];
      const done = await apt("install", ...alone, inside(first));
      t.equal(done.code, 0, done.stderr);
      t.notMatch(done.stderr, /streambro:/, "it complains of nothing");
      t.equal(await show("ActiveState"), "active");
      t.equal(await show("UnitFileState"), "enabled");
      await run("useradd", "-m", "anna");
      const stranger = await anna("ls");
      t.not(stranger.code, 0, "who is not in the group may not");
      await run("usermod", "-aG", "streambro", "anna");
      const listed = await anna("ls");
      t.equal(listed.code, 0, listed.stderr);
      t.match((await run("man", "-w", "streambro", "streambrod", "streambro.yaml")).stdout, /\.gz/);
    });

    const noAcl = exists("/usr/bin/setfacl") ? false : "package: setfacl is not installed (acl)";
    await t.test("a film in a closed home: what is said mends it", { skip: noAcl }, async (t) => {
      const own = ["--reuid=anna", "--regid=anna", "--init-groups"];
      const sh = (script: string): Promise<Finished> => run("setpriv", ...own, "sh", "-c", script);
      await run("chmod", "700", "/home/anna");
      await sh("mkdir -m 700 '/home/anna/a b'; install -m 600 /media/film.mp4 '/home/anna/a b'");
      const add = ["add", "own", "--input", "/home/anna/a b/film.mp4", "--to", "srt://127.0.0.1:9"];
      let added = await anna(...add);
      // Two directories and the film.
      for (let step = 0; step < 3; step++) {
        const typed = /To let it: (setfacl .*)/.exec(added.stderr)?.[1] ?? "false";
        t.equal((await sh(typed)).code, 0, added.stderr);
        added = await anna(...add);
      }
      t.equal(added.code, 0, added.stderr);
      t.equal((await anna("rm", "own")).code, 0);
    });

    await t.test("a kill, an upgrade and a restart leave no gap; a stop does", async (t) => {
      const to = ["--input", "/media/film.mp4", "--to", `${server.url}/film`];
      const added = await anna("add", "film", ...to, "--start");
      t.equal(added.code, 0, added.stderr);
      t.equal((await anna("wait", "film", "--for", "live", "--timeout", "30s")).code, 0);
      const before = await stream();
      const same = { state: "live", pid: before?.pid ?? 0, restarts: 0, owner: "anna" };
      t.match(before, same);

      let daemon = await show("MainPID");
      await killDaemon();
      t.match(await another(daemon), same, "after kill -9");

      daemon = await show("MainPID");
      const upgraded = await apt("install", inside(second));
      t.equal(upgraded.code, 0, upgraded.stderr);
      t.match(await another(daemon), same, "after the upgrade");
      const { stdout } = await run("dpkg-query", "-W", "-f", "${Version}", "streambro");
      t.match(stdout, /-2$/);

      const broken = await dpkg("-i", inside(await brokenDeb(scratch)));
      t.not(broken.code, 0);
      const status = await run("dpkg-query", "-W", "-f", "${Status} ${Version}", "streambro");
      t.match(status.stdout, /^install ok installed .*-2$/, "an upgrade that fails is undone");

      daemon = await show("MainPID");
      t.equal((await run("systemctl", "restart", "streambro")).code, 0);
      t.match(await another(daemon), same, "after the restart");

      daemon = await show("MainPID");
      const back = await dpkg("-i", inside(first));
      t.equal(back.code, 0, back.stderr);
      t.match(await another(daemon), same, "after going back");

      t.equal(server.publishes("film").length, 1, "the receiver has seen one publisher");
      t.equal(onTheAir(), 1);
      t.equal((await run("systemctl", "stop", "streambro")).code, 0);
      await until("the receiver sees its end", () => onTheAir() === 0, SOON_MS);
      const [publish] = server.publishes("film");
      const received = await packetHashes(publish?.file ?? "");
      t.ok(received.length > 100, `${received.length} packets`);
      t.ok(
        isContiguousPiece(received, await packetHashes(source)),
        "no packet is missing, none twice",
      );
      t.equal((await run("pidof", "ffmpeg")).code, 1, "no process is left");
    });

    await t.test("an upgrade leaves a service stopped that somebody has stopped", async (t) => {
      t.equal((await dpkg("-i", inside(second))).code, 0);
      t.equal(await show("ActiveState"), "inactive");
      t.equal((await run("systemctl", "start", "streambro")).code, 0);
      await until("the stream is back", () => onTheAir() === 1, SOON_MS);
    });

    await t.test(
      "a removal stops the streams, and what is left on the air; state stays",
      async (t) => {
        // As after a wrong setting: the daemon has gone and does not come back, the streams play on.
        debian.put("/etc/streambro/streambro.yaml", "log_level: loud\n");
        await killDaemon();
        await until(
          "the service has failed",
          async () => (await show("ActiveState")) === "failed",
          SOON_MS,
        );
        t.equal(onTheAir(), 1);
        const removed = await dpkg("--remove", "streambro");
        t.equal(removed.code, 0, removed.stderr);
        await until("the receiver sees its end", () => onTheAir() === 0, SOON_MS);
        t.equal((await run("pidof", "ffmpeg")).code, 1, "no process is left");
        t.notOk(exists("/usr/bin/streambro"));
        t.ok(exists("/var/lib/streambro/streams/film.json"));
        t.ok(exists("/etc/streambro/streambro.yaml"));
      },
    );

    await t.test("an installation after a removal brings the streams back", async (t) => {
      debian.put("/etc/streambro/streambro.yaml", "log_level: info\n");
      const again = await dpkg("--force-confold", "-i", inside(second));
      t.equal(again.code, 0, again.stderr);
      t.equal(await show("ActiveState"), "active");
      await until("the stream is back", () => onTheAir() === 1, SOON_MS);
    });

    await t.test("a purge stops the streams and removes their state", async (t) => {
      const purged = await dpkg("--purge", "streambro");
      t.equal(purged.code, 0, purged.stderr);
      await until("the receiver sees its end", () => onTheAir() === 0, SOON_MS);
      t.same(await ownFiles(), filesBefore, "nothing of that name is left");
      for (const place of [
        "/var/lib/streambro",
        "/run/streambro",
        "/etc/streambro",
        "/usr/lib/streambro",
      ])
        t.notOk(exists(place), place);
      t.equal((await run("systemctl", "is-active", "streambro")).stdout.trim(), "inactive");
      t.equal((await run("pidof", "ffmpeg")).code, 1, "no process is left");
    });
  },
);
