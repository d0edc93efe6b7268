import { readFileSync } from "node:fs";
import t from "tap";
import { startDaemon } from "../helpers/daemon.ts";
import { film, renderFilm } from "../helpers/film.ts";
import { memoryGroup } from "../helpers/memory-group.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const SOON_MS = 30_000;

t.test("where memory runs out", async (t) => {
  const group = memoryGroup(100 << 20);
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(async () => {
    await daemon.end();
    await group?.remove();
  });
  const add = async (name: string, input: string, ...options: string[]): Promise<void> => {
    const to = `${server.url}/${name}`;
    const added = await daemon.cli("add", name, "--input", input, "--to", to, ...options);
    t.equal(added.code, 0, added.stderr);
  };
  await add("calm", await film(), "--start");
  await server.waitForPublisher("calm", SOON_MS);

  await t.test("FFmpeg is to end before the daemon", async (t) => {
    const { streams } = await daemon.rpc("stream.status", { names: ["calm"] });
    const inclination = (pid: number): number =>
      Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
    t.ok(inclination(streams[0]?.pid ?? 0) >= 200);
    t.ok(inclination(daemon.pid()) < 200);
  });

  const skip = group === null ? "memory: no control group of one's own can be made here" : false;
  await t.test("the kernel ends one FFmpeg, and nothing else ends", { skip }, async (t) => {
    if (group === null) return;
    // Its picture alone takes more than there is.
    await add("huge", await renderFilm(), "--mode", "encode", "--size", "3840x2160");
    group.take(daemon.pid());
    const before = daemon.pid();
    await daemon.cli("start", "huge");
    await until("the kernel ends something", () => group.killed() > 0, SOON_MS);
    const exit = await until(
      "the daemon tells of it",
      () => daemon.events().find(({ stream, event }) => stream === "huge" && event === "exited"),
      SOON_MS,
    );
    await daemon.rpc("stream.stop", { name: "huge" });
    t.match(exit, { reason: "killed", signal: "SIGKILL" });
    t.ok(daemon.running() && daemon.pid() === before, "the daemon is still there");
    t.equal(server.publishes("calm").length, 1, "and the other stream");
    t.equal(server.publishes("calm")[0]?.endedMs, null);
  });
});
