import t from "tap";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const one = async (daemon: Daemon, name: string) => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  const [status] = streams;
  if (status === undefined) throw new Error(`there is no ${name}`);
  return status;
};

t.test("timed runs", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await renderFilm({ size: "160x90", seconds: 6 });
  for (const name of ["party", "gone", "kept"])
    await daemon.cli("add", name, "--input", input, "--to", `${server.url}/${name}`);

  await t.test("what cannot be is said, and nothing starts", async (t) => {
    t.match(await daemon.cli("start", "party", "--for", "soon"), { code: 2, stderr: /--for/ });
    t.match(await daemon.cli("start", "party", "--until", "25:00"), {
      code: 2,
      stderr: /--until: it is no time/,
    });
    t.match(await daemon.cli("start", "party", "--for", "1h", "--until", "23:00"), {
      code: 2,
      stderr: /not both/,
    });
    t.match(await daemon.cli("start", "party", "--until", "2020-01-01 20:00"), {
      code: 78,
      stderr: /has passed/,
    });
    t.match(await one(daemon, "party"), { state: "stopped", desired: "stopped", stopAt: null });
  });

  await t.test("it ends by itself, over a crash of the daemon", async (t) => {
    const begun = Date.now();
    t.match(await daemon.cli("start", "party", "--for", "5s"), { code: 0, stderr: /until \d/ });
    const { stopAt } = await one(daemon, "party");
    const forMs = Date.parse(stopAt ?? "") - begun;
    t.ok(forMs >= 5_000 && forMs < 10_000, `stops ${forMs} ms after the start`);
    await daemon.restart("SIGKILL");
    t.match(await one(daemon, "party"), { stopAt, desired: "running" });
    await until("it stops", async () => (await one(daemon, "party")).state === "stopped", 20_000);
    t.ok(Date.now() >= Date.parse(stopAt ?? ""), "not before its time");
    t.match(await one(daemon, "party"), { desired: "stopped", stopAt: null });
    t.match(
      daemon.events().find(({ event }) => event === "time-over"),
      { level: "info", stream: "party" },
    );
  });

  await t.test("a time that passes while no daemon is there means stopped", async (t) => {
    await daemon.cli("start", "kept", "--for", "1h", "--wait");
    const { stream } = await daemon.rpc("stream.start", { name: "gone", forMs: 4_000 });
    const { stopAt } = stream;
    const { pid } = await one(daemon, "kept");
    await daemon.kill("SIGKILL");
    await until("its time is over", () => Date.now() > Date.parse(stopAt ?? ""), 10_000);
    const publishes = server.publishes("gone").length;
    await daemon.start();
    await until(
      "it is stopped",
      async () => (await one(daemon, "gone")).state === "stopped",
      5_000,
    );
    t.match(await one(daemon, "gone"), { desired: "stopped", stopAt: null });
    t.equal(server.publishes("gone").length, publishes, "and was not started once more");
    t.match(await one(daemon, "kept"), { pid, state: "live" }, "what is not over goes on");
  });

  await t.test("a start or a stop clears it", async (t) => {
    t.match(await one(daemon, "kept"), { stopAt: String });
    const table = await daemon.cli("ls");
    t.match(table.stdout, /kept .*; until /);
    t.match(await daemon.cli("start", "kept"), {
      code: 0,
      stderr: /^kept: live, until it is stopped/,
    });
    t.match(await one(daemon, "kept"), { stopAt: null, desired: "running" });
    await daemon.cli("start", "kept", "--until", "23:59");
    t.match(await one(daemon, "kept"), { stopAt: /:59:00\.000Z$/ });
    await daemon.cli("stop", "kept", "--wait");
    t.match(await one(daemon, "kept"), { stopAt: null, desired: "stopped" });
  });
});
