import { copyFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { film } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { bootContainer, whyNoContainer } from "../helpers/systemd.ts";
import { until } from "../helpers/until.ts";
import { install } from "./installed.ts";

const SOON_MS = 20_000;
const SETTINGS = "resource_monitor_interval_ms: 1000\n";

/** Told by a unit that is stopped after the service, and before systemd kills whatever is left. */
const WITNESS = `[Unit]
Before=streambro.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'journalctl -u streambro -o cat >/outside/journal; pidof ffmpeg >/outside/left; echo $? >>/outside/left'
`;

t.test("under a real systemd", { skip: whyNoContainer() ?? false, timeout: 200_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-systemd-"));
  // The service's user is to read it.
  chmodSync(scratch, 0o755);
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
  copyFileSync(await film(), path.join(scratch, "film.mp4"));
  const container = await bootContainer(scratch, scratch);
  if (typeof container === "string") {
    t.test("a container", { skip: container }, async () => {});
    return;
  }
  t.teardown(() => container.stop());
  const { systemctl, show, cli, journal } = await install(container, SETTINGS);
  // Short enough for a test, and long enough for a busy machine.
  container.addUnit("streambro.service.d/watchdog.conf", "[Service]\nWatchdogSec=6\n");
  container.addUnit("witness.service", WITNESS);
  await systemctl("daemon-reload");
  await systemctl("start", "witness");

  const statuses = async (): Promise<StreamStatus[]> => {
    const { stdout } = await cli("status", "--json");
    const parsed: { streams: StreamStatus[] } = JSON.parse(stdout);
    return parsed.streams;
  };
  const pids = async (): Promise<(number | null)[]> => (await statuses()).map(({ pid }) => pid);
  const isLine = (wanted: string): Promise<boolean> =>
    until(
      `the status line ${wanted}`,
      async () => {
        const line = await show("StatusText");
        if (line !== wanted) throw new Error(line);
        return true;
      },
      SOON_MS,
    );
  const publishes = (): number[] =>
    ["film", "encoded"].map((name) => server.publishes(name).length);
  const onTheAir = (): number =>
    server.publishes().filter(({ endedMs }) => endedMs === null).length;
  /** Waits until another process than `pid` is the service, and answers. */
  const another = async (pid: string): Promise<string> =>
    until(
      "another daemon answers",
      async () => {
        const now = await show("MainPID");
        const isUp = now !== "0" && now !== pid && (await show("SubState")) === "running";
        return isUp && (await cli("ls")).code === 0 ? now : null;
      },
      SOON_MS,
    );
  const of = async (pid: number | string, file: string): Promise<string> =>
    (await container.run("cat", `/proc/${pid}/${file}`)).stdout.trim();

  await t.test("a start is over when the daemon answers, as a user of its own", async (t) => {
    const started = await systemctl("start", "streambro");
    t.equal(started.code, 0, started.stderr);
    t.equal((await cli("ls")).code, 0, "it answers at once");
    await isLine("no streams");
    const uid = (await container.run("id", "-u", "streambro")).stdout.trim();
    t.match(await of(await show("MainPID"), "status"), new RegExp(`^Uid:\t${uid}\t${uid}\t`, "m"));
    t.not(uid, "0");
    for (const [name, ...options] of [["film"], ["encoded", "--mode", "encode"]]) {
      const to = `${server.url}/${name}`;
      const source = ["--input", "/media/film.mp4", "--to", to, "--start"];
      const added = await cli("add", `${name}`, ...source, ...options);
      t.equal(added.code, 0, added.stderr);
    }
    for (const name of ["film", "encoded"])
      t.equal((await cli("wait", name, "--for", "live", "--timeout", "30s")).code, 0);
    await isLine("2 live");
  });

  await t.test("systemd-analyze finds little to say against it", async (t) => {
    const { stdout } = await container.run(
      "systemd-analyze",
      "security",
      "--no-pager",
      "streambro",
    );
    const [, score] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
    t.ok(Number(score) <= 2.5, `${score}`);
  });

  await t.test("memory that runs out ends a stream before the daemon", async (t) => {
    t.equal(await show("OOMScoreAdjust"), "-500");
    // A container may have no right to go below what it was given.
    t.ok(Number(await of(await show("MainPID"), "oom_score_adj")) <= 0);
    for (const pid of await pids()) t.equal(await of(pid ?? 0, "oom_score_adj"), "200");
    t.equal(await show("OOMPolicy"), "continue");
  });

  await t.test(
    "a crash of the daemon leaves FFmpeg running, and its successor adopts it",
    async (t) => {
      const before = await statuses();
      const daemon = await show("MainPID");
      await container.run("kill", "-9", daemon);
      await another(daemon);
      const after = await statuses();
      for (const [at, { pid, startedAt }] of before.entries())
        t.match(after[at], { state: "live", pid, startedAt, restarts: 0 });
      t.same(publishes(), [1, 1], "the server saw nothing of it");
    },
  );

  await t.test(
    "a daemon that hangs is killed by the watchdog, and its streams are not",
    async (t) => {
      const before = await pids();
      const daemon = await show("MainPID");
      await container.run("kill", "-STOP", daemon);
      await another(daemon);
      t.same(await pids(), before);
      t.same(publishes(), [1, 1], "the server saw nothing of it");
      t.match((await journal("-o", "cat")).join("\n"), /Watchdog timeout/);
      // From here on nothing is to depend on how busy the machine is.
      container.addUnit("streambro.service.d/watchdog.conf", "");
      await systemctl("daemon-reload");
      t.equal((await systemctl("restart", "streambro")).code, 0);
    },
  );

  await t.test(
    "what was adopted is measured and obeys, in a mount namespace of its own",
    async (t) => {
      const [encoded, copied] = await until(
        "both are measured",
        async () => {
          const now = await statuses();
          const known = ({ usage, outputs: [output] }: StreamStatus): boolean =>
            usage !== null && output?.healthBy === "kernel" && output.health === "delivering";
          if (!now.every(known)) throw new Error(JSON.stringify(now));
          return now;
        },
        SOON_MS,
      );
      t.ok((copied?.usage?.pssBytes ?? 0) > 1e6, "its memory, shared pages shared out");
      const namespace = async (pid: number | string): Promise<string> =>
        (await container.run("readlink", `/proc/${pid}/ns/mnt`)).stdout.trim();
      t.not(await namespace(await show("MainPID")), await namespace(copied?.pid ?? 0));
      t.equal((await cli("stop", "encoded")).code, 0);
      t.equal((await cli("wait", "encoded", "--for", "stopped", "--timeout", "20s")).code, 0);
      t.not((await container.run("kill", "-0", `${encoded?.pid}`)).code, 0, "it is gone");
      await isLine("1 live");
      await cli("start", "encoded");
      await isLine("2 live");
    },
  );

  await t.test(
    "a reload takes up what is right, and fails by name where anything is wrong",
    async (t) => {
      const value = async (): Promise<unknown> =>
        JSON.parse((await cli("daemon", "config", "--json")).stdout).settings.find(
          ({ name }: { readonly name: string }) => name === "RETRY_MAX_MS",
        )?.value;
      container.put("/etc/streambro/streambro.yaml", `${SETTINGS}retry_max_ms: 7000\n`);
      t.equal((await systemctl("reload", "streambro")).code, 0);
      t.equal(await value(), 7_000);
      container.put("/etc/streambro/streambro.yaml", `${SETTINGS}retry_max_ms: soon\n`);
      t.not((await systemctl("reload", "streambro")).code, 0);
      t.equal(await value(), 7_000, "what was stays");
      t.equal(await show("ActiveState"), "active");
      t.match(
        (await journal("-o", "cat", "-p", "err")).join("\n"),
        /retry_max_ms: give a whole number/,
      );
      container.put("/etc/streambro/streambro.yaml", SETTINGS);
      const { code } = await container.run("kill", "-HUP", await show("MainPID"));
      t.equal(code, 0);
      await until("SIGHUP is heeded", async () => (await value()) === 10_000, SOON_MS);
      t.equal(await show("SubState"), "running");
    },
  );

  await t.test("a restart keeps the streams on the air", async (t) => {
    const [before, published] = [await pids(), publishes()];
    for (const verb of ["restart", "try-restart"]) {
      const daemon = await show("MainPID");
      t.equal((await systemctl(verb, "streambro")).code, 0, verb);
      t.not(await show("MainPID"), daemon);
      t.same(await pids(), before, verb);
    }
    t.same(publishes(), published, "the server saw nothing of it");
    t.equal(onTheAir(), 2);
  });

  const bus = await systemctl("is-active", "dbus.socket");
  const noBus = bus.stdout.trim() === "active" ? false : "systemd: there is no D-Bus to ask it by";
  await t.test(
    "a restart into a unit that cannot be started takes nothing off the air",
    { skip: noBus },
    async (t) => {
      const [before, published] = [await pids(), publishes()];
      const dropIn = "streambro.service.d/groups.conf";
      container.addUnit(dropIn, "[Service]\nSupplementaryGroups=no-such-group\n");
      await systemctl("daemon-reload");
      t.not((await systemctl("restart", "streambro")).code, 0, "ExecStop cannot be run either");
      container.addUnit(dropIn, "");
      await systemctl("daemon-reload");
      t.equal((await systemctl("restart", "streambro")).code, 0);
      t.same(await pids(), before);
      t.same(publishes(), published);
    },
  );

  await t.test("the journal has a sentence a line, each with its priority", async (t) => {
    const said = async (priority: string): Promise<string> =>
      (await journal("-o", "cat", "-p", priority)).join("\n");
    t.match(await said("6..6"), /^film: .*\{"event":".*"stream":"film"/m);
    t.notMatch(await said("warning"), /"event":"ready"/);
    t.notMatch(await said("debug"), /^<\d>/m, "the journal has taken the numbers off");
    container.addUnit("wrong.service", "[Service]\nExecStart=streambrod --retry-max-ms soon\n");
    await systemctl("daemon-reload");
    await systemctl("start", "wrong");
    const wrong = await until(
      "the words of a start that failed",
      async () =>
        (await container.run("journalctl", "-u", "wrong", "-p", "3..3", "-o", "cat")).stdout.trim(),
      SOON_MS,
    );
    t.match(wrong, /^streambrod: .*give a whole number/m);
  });

  await t.test(
    "a stop of the service ends the streams, and its start brings them back",
    async (t) => {
      const before = publishes();
      // One that heeds nothing but KILL, which takes longer than systemd would wait unasked.
      container.addUnit("streambro.service.d/patience.conf", "[Service]\nTimeoutStopSec=3\n");
      await systemctl("daemon-reload");
      await container.run("kill", "-STOP", `${(await pids())[0]}`);
      const stopped = await systemctl("stop", "streambro");
      t.equal(stopped.code, 0, stopped.stderr);
      t.same([await show("ActiveState"), await show("Result")], ["inactive", "success"]);
      t.equal((await container.run("pidof", "ffmpeg")).code, 1, "no process is left");
      await until("no publisher is left", () => onTheAir() === 0, SOON_MS);
      t.equal((await systemctl("start", "streambro")).code, 0);
      await isLine("2 live");
      t.same(
        publishes(),
        before.map((count) => count + 1),
      );
    },
  );

  await t.test("a shutdown of the machine ends the streams in good order", async (t) => {
    await systemctl("poweroff");
    await until("the machine is off", container.over, 60_000);
    t.equal(readFileSync(path.join(scratch, "left"), "utf8"), "1\n", "no FFmpeg was left to kill");
    t.match(readFileSync(path.join(scratch, "journal"), "utf8"), /2 streams stopped/);
    t.equal(onTheAir(), 0);
  });
});
