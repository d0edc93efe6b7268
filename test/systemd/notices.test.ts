import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { ffmpegEnvironment } from "../../daemon/ffmpeg/environment.ts";
import { openDatagrams, socketAddress } from "../../daemon/systemd/datagram.ts";
import { notifierOf } from "../../daemon/systemd/notify.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { listenForNotices } from "../helpers/notify-socket.ts";
import { until } from "../helpers/until.ts";

const SOON_MS = 20_000;
const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-"));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

t.test("who waits to be told, is told", async (t) => {
  const address = path.join(scratch, "n");
  const heard = listenForNotices(address);
  t.teardown(() => heard.close());
  const daemon = await startDaemon({
    env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "900000", WATCHDOG_PID: "" },
  });
  const { notices } = heard;
  const ready = await until(
    "READY",
    () => notices().findIndex((one) => one.startsWith("READY=1\n")) + 1,
    SOON_MS,
  );
  t.equal(notices()[ready - 1], "READY=1\nSTATUS=no streams");
  t.match(notices()[0], /^STATUS=starting/);
  const fed = (): number => notices().filter((one) => one === "WATCHDOG=1").length;
  await until("it is fed again and again", () => fed() > 2, SOON_MS);

  await t.test("that it takes up settings, wrong ones too", async (t) => {
    const from = notices().length;
    await daemon.rpc("daemon.reload", {});
    writeFileSync(path.join(daemon.dir, "conf.yaml"), "nonsense: 1\n");
    await t.rejects(daemon.rpc("daemon.reload", {}));
    const told = (): string[] =>
      notices()
        .slice(from)
        .filter((one) => /^(RELOADING|READY)/.test(one));
    await until("all is told", () => told().length === 4, SOON_MS);
    const [first = "", second, , fourth] = told();
    const [, usec] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(first) ?? [];
    const now = Number(process.hrtime.bigint() / 1_000n);
    t.ok(Number(usec) <= now && Number(usec) > now - 60e6, "on the machine's own clock");
    t.same([second, fourth], ["READY=1", "READY=1"]);
    writeFileSync(path.join(daemon.dir, "conf.yaml"), "");
  });

  await t.test("nothing, while nobody gets an answer", async (t) => {
    // As many as it takes: what comes after is turned away.
    const crowd: Socket[] = [];
    for (let at = 0; at < 520; at += 1) {
      const one = connect(daemon.socket);
      one.on("error", () => {});
      crowd.push(one);
    }
    await until("it notices", () => daemon.log().includes('"event":"self-check"'), SOON_MS);
    const starved = fed();
    for (const one of crowd) one.destroy();
    await until("it is fed once more", () => fed() > starved, SOON_MS);
    const said = (): unknown[] =>
      daemon.events().flatMap(({ event, level }) => (event === "self-check" ? [level] : []));
    await until("it says so", () => said().length > 1, SOON_MS);
    t.same(said(), ["error", "info"], "each is said once");
  });

  await t.test("that it ends", async (t) => {
    await daemon.end();
    const stopping = notices().find((one) => one.startsWith("STOPPING=1"));
    t.match(stopping, /^STATUS=ending$/m);
    t.match(stopping, /^EXTEND_TIMEOUT_USEC=\d{7,}$/m);
  });
});

t.test("an address that leads nowhere ends nothing", async (t) => {
  const daemon = await startDaemon({ env: { NOTIFY_SOCKET: path.join(scratch, "nobody") } });
  t.teardown(() => daemon.end());
  t.match(daemon.log(), /NOTIFY_SOCKET is set, but .*(ENOENT|ECONNREFUSED).*Type=exec/);
  await daemon.rpc("daemon.reload", {});
  t.same((await daemon.rpc("daemon.status", {})).warnings, []);
});

t.test("without anybody who waits nothing is loaded, and a missing package is said", async (t) => {
  const never = (): never => t.fail("it is not loaded") as never;
  t.same(await notifierOf({}, never), { is: "unwanted" });
  const missing = Object.assign(new Error("no"), { code: "MODULE_NOT_FOUND" });
  const unable = await notifierOf({ NOTIFY_SOCKET: "/x" }, () => Promise.reject(missing));
  t.match(unable, { is: "unable", message: /koffi is not installed\. A service of Type=notify/ });
});

t.test("abstract names, and what is none", async (t) => {
  const name = `@streambro-test-${process.pid}`;
  const heard = listenForNotices(name);
  t.teardown(() => heard.close());
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "1" };
  const able = await notifierOf(env);
  if (able.is !== "able") throw new Error(JSON.stringify(able));
  t.equal(able.notifier.watchdogMs, null, "another process is to be watched");
  t.equal(able.notifier.notify({ STATUS: "a\nREADY=1" }), true);
  t.equal(heard.notices().at(-1), "STATUS=a READY=1", "one assignment stays one");
  const send = await openDatagrams();
  for (const wrong of ["", "@", "/", "vsock:2:1", "x/y", `/${"x".repeat(107)}`, "/a\0b"]) {
    t.equal(socketAddress(wrong), null, JSON.stringify(wrong));
    t.type(send(wrong, "READY=1"), "string");
  }
});

t.test("FFmpeg hears of none of it", async (t) => {
  const env = { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "1", JOURNAL_STREAM: "1:2" };
  t.same(ffmpegEnvironment({ ...env, PATH: "/bin" }), { PATH: "/bin" });
});

t.test("what goes to the journal is a sentence with its priority; elsewhere JSON", async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const [out, err] = [path.join(dir, "stdout"), path.join(dir, "stderr")];
  for (const file of [out, err]) writeFileSync(file, "");
  const stream = (file: string): string => {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  };
  const daemon = await startDaemon({ dir, env: { JOURNAL_STREAM: stream(out) } });
  t.match(daemon.log(), /^<6>streambrod \S+ answers at \S+ \{"event":"ready","socket":".*\}$/m);
  t.notMatch(daemon.log(), /^[^<]/m, "each line");
  await daemon.end();
  writeFileSync(path.join(dir, "conf.yaml"), "retry_max_ms: soon\n");
  await t.rejects(
    startDaemon({ dir, env: { JOURNAL_STREAM: stream(err) } }),
    /<3>streambrod: .*retry_max_ms/,
  );
});
