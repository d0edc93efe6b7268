import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { ERRORS } from "../../shared/errors.ts";
import { output } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { type Sample, valueOf } from "../helpers/exposition.ts";
import { renderFilm } from "../helpers/film.ts";
import { leftovers, processOf } from "../helpers/processes.ts";
import { type RtmpServer, startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const NAMES = ["a", "b", "c"];
/** Longer than any test: whatever ends before it was not waited for. */
const FOR_EVER_MS = 600_000;
const BRIEF_MS = 1_500;

/** The real FFmpeg under a shell that no SIGTERM ends, as where a driver or a disk hangs. */
const deafFfmpeg = async (t: Test): Promise<string> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-deaf-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const real = (await output("sh", ["-c", "command -v ffmpeg"])).trim();
  const program = path.join(dir, "ffmpeg");
  const script = `#!/bin/sh
case " $* " in *" -progress "*) ;; *) exec '${real}' "$@" ;; esac
trap '' TERM
'${real}' "$@"
while :; do sleep 1; done
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  return program;
};

const add = async (daemon: Daemon, server: RtmpServer): Promise<void> => {
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  const to = (name: string): string => `${server.url}/${name}`;
  for (const name of NAMES) await daemon.rpc("stream.add", { name, input, to: to(name) });
};

const statesOf = async (daemon: Daemon): Promise<string[]> =>
  (await daemon.rpc("stream.status", {})).streams.map(({ state }) => state);

const allAre = async (daemon: Daemon, state: string): Promise<void> => {
  const same = async (): Promise<boolean> => (await statesOf(daemon)).every((one) => one === state);
  await until(`all are ${state}`, same, 30_000);
};

/** What the log says of the end of the daemon, and of the starts and ends of streams. */
const stepsOf = (daemon: Daemon): Record<string, unknown>[] => {
  const events = daemon.events();
  return events.slice(events.findLastIndex(({ event }) => event === "shutdown"));
};

t.test("Test graceful shutdown with active streams", { timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());

  await t.test("every stream ends, each step is logged, and all run again", async (t) => {
    const daemon = await startDaemon();
    t.teardown(() => daemon.end());
    await add(daemon, server);
    for (const name of ["a", "b"]) await daemon.rpc("stream.start", { name });
    await daemon.rpc("stream.start", { name: "c", forMs: FOR_EVER_MS });
    await allAre(daemon, "live");
    const { streams } = await daemon.rpc("stream.status", { names: ["c"] });

    await daemon.kill("SIGTERM");
    t.equal(daemon.exitCode(), 0);
    t.same(leftovers(daemon.stateDir), [], "nothing runs");
    const steps = stepsOf(daemon).filter(({ stream }) => stream === undefined);
    t.same(
      steps.map(({ level, event, scheduled, streams }) => [level, event, scheduled ?? streams]),
      [
        ["info", "shutdown", undefined],
        ["info", "schedules-cleared", 1],
        ["info", "stopping", 3],
        ["info", "streams-stopped", 3],
        ["info", "metrics-flushed", undefined],
        ["info", "ended", undefined],
      ],
    );
    for (const name of NAMES) {
      const all = daemon.events().filter(({ stream }) => stream === name);
      const [asked, ofOne] = [true, false].map((is) =>
        all.filter(({ event }) => (event === "audit") === is),
      );
      t.same(
        asked?.map(({ method }) => method),
        ["stream.add", "stream.start"],
        `${name}: nobody has asked for its end`,
      );
      t.same(
        ofOne?.map(({ level, event }) => `${String(level)} ${String(event)}`),
        ["started", "live", "exited", "stopped", "cleanup"].map((event) => `info ${event}`),
        `${name}: started and stopped`,
      );
    }
    const file = readFileSync(path.join(daemon.stateDir, "metrics.json"), "utf8");
    const { counters } = JSON.parse(file) as { counters: Sample[] };
    t.equal(valueOf(counters, "streambro_stream_stops_total"), 3, "the last counts are saved");

    await daemon.start();
    await allAre(daemon, "live");
    const again = await daemon.rpc("stream.status", { names: ["c"] });
    t.equal(again.streams[0]?.stopAt, streams[0]?.stopAt, "with the time it had");
    await daemon.kill("SIGINT");
    t.equal(daemon.exitCode(), 0, "Ctrl-C is the same");
  });

  await t.test("all at once, deaf to commands; a second signal kills at once", async (t) => {
    const settings = (ms: number): string => `force_kill_timeout_ms: ${ms}\n`;
    const daemon = await startDaemon({
      config: settings(BRIEF_MS),
      // The kernel counts what FFmpeg sends as FFmpeg's, and the shell is the stream's process.
      env: { FFMPEG_PATH: await deafFfmpeg(t), START_TIMEOUT_MS: String(FOR_EVER_MS) },
    });
    t.teardown(() => daemon.end());
    const onAir = async (): Promise<void> => {
      for (const name of NAMES) await server.waitForPublisher(name, 20_000);
    };
    await add(daemon, server);
    for (const name of NAMES) await daemon.rpc("stream.start", { name });
    await onAir();

    await t.test("one that heeds no SIGTERM is killed at the timeout", async (t) => {
      await daemon.rpc("stream.stop", { name: "c" });
      await daemon.rpc("stream.wait", { name: "c", for: "stopped", waitMs: 20_000 });
      const { streams } = await daemon.rpc("stream.status", { names: ["c"] });
      t.match(streams[0], { state: "stopped", lastExit: { signal: "SIGKILL", reason: "stopped" } });
      const ofC = daemon.events().filter(({ stream }) => stream === "c");
      const forced = ofC.filter(({ event }) => /force/i.test(String(event)));
      t.same(
        forced.map(({ level, event, msg }) => [level, event, msg]),
        [
          ["error", "FORCE_KILL_REQUIRED", "Stream c did not respond to SIGTERM, force killing"],
          ["warn", "force-killed", "c: sent SIGKILL"],
        ],
      );
      const { metrics } = await daemon.rpc("daemon.metrics", {});
      t.equal(valueOf(metrics, "streambro_force_kills_total"), 1);
      await daemon.rpc("stream.start", { name: "c" });
      await onAir();
    });

    writeFileSync(path.join(daemon.dir, "conf.yaml"), settings(FOR_EVER_MS));
    await daemon.rpc("daemon.reload", {});
    const { streams } = await daemon.rpc("stream.status", {});
    process.kill(daemon.pid(), "SIGTERM");
    // One after the other, the first would be waited for for ever.
    await allAre(daemon, "stopping");
    const refused = { number: ERRORS.SHUTTING_DOWN.rpc, message: /^The daemon is stopping/ };
    await t.rejects(daemon.rpc("stream.start", { name: "a" }), refused);
    await t.rejects(daemon.rpc("stream.remove", { name: "a" }), refused);
    t.ok(daemon.running(), "it waits for them");
    await daemon.kill("SIGTERM");
    t.equal(daemon.exitCode(), 0);
    for (const { name, pid } of streams) t.equal(processOf(pid ?? 0), null, `${name} is gone`);
    t.same(leftovers(daemon.stateDir), []);
    const events = stepsOf(daemon);
    t.match(
      events.find(({ event }) => event === "hurry"),
      { level: "warn", signal: "SIGTERM" },
    );
    const exits = events.filter(({ event }) => event === "exited");
    t.same(
      exits.map(({ signal }) => signal),
      NAMES.map(() => "SIGKILL"),
    );
    // What follows need not wait for them either.
    writeFileSync(path.join(daemon.dir, "conf.yaml"), settings(BRIEF_MS));
    await daemon.start();
    await onAir();
  });
});
