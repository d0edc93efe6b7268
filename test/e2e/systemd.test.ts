import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { film } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { IN_CONTAINER, bootContainer, whyNoContainer } from "../helpers/systemd.ts";
import { until } from "../helpers/until.ts";

const UNIT = path.resolve(import.meta.dirname, "../../streambro.service");

t.test("under a real systemd", { skip: whyNoContainer() ?? false, timeout: 120_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const input = await film();
  const container = await bootContainer(path.dirname(input));
  if (typeof container === "string") {
    t.test("a container", { skip: container }, async () => {});
    return;
  }
  t.teardown(() => container.stop());
  const unit = readFileSync(UNIT, "utf8");
  t.match(unit, /^ExecStart=\/usr\/local\/bin\/streambrod$/m);
  container.addUnit("streambro.service", unit.replace("/usr/local/bin", `${IN_CONTAINER}/bin`));
  const systemctl = async (...args: string[]): Promise<string> => {
    const done = await container.run("systemctl", ...args);
    return done.stdout.trim();
  };
  const cli = (...args: string[]): ReturnType<typeof container.run> =>
    container.run(`${IN_CONTAINER}/bin/streambro`, ...args);
  const status = async (): Promise<StreamStatus | undefined> => {
    const { stdout } = await cli("status", "film", "--json");
    const parsed: { streams: StreamStatus[] } = JSON.parse(stdout);
    return parsed.streams[0];
  };
  await systemctl("daemon-reload");
  await systemctl("start", "streambro");
  const answers = async (): Promise<boolean> => {
    const { code, stderr } = await cli("ls");
    if (code !== 0) throw new Error(stderr);
    return true;
  };
  await until("the daemon answers", answers, 10_000);
  const add = await cli(
    "add",
    "film",
    "--input",
    `/media/${path.basename(input)}`,
    "--to",
    `${server.url}/film`,
    "--start",
  );
  t.equal(add.code, 0, add.stderr);
  t.equal((await cli("wait", "film", "--for", "live", "--timeout", "20s")).code, 0);

  t.test("a crash of the daemon leaves FFmpeg running, and its successor adopts it", async (t) => {
    const before = await status();
    const daemon = await systemctl("show", "-p", "MainPID", "--value", "streambro");
    await container.run("kill", "-9", daemon);
    await until(
      "another daemon answers",
      async () => {
        const now = await systemctl("show", "-p", "MainPID", "--value", "streambro");
        return now !== "0" && now !== daemon && (await cli("ls")).code === 0;
      },
      15_000,
    );
    t.match(await status(), {
      state: "live",
      pid: before?.pid,
      startedAt: before?.startedAt,
      restarts: 0,
    });
    t.equal(server.publishes("film").length, 1, "the server saw nothing of it");
  });

  t.test("a stop of the service ends the stream, and its start brings it back", async (t) => {
    await systemctl("stop", "streambro");
    t.equal(await systemctl("is-active", "streambro"), "inactive");
    await until(
      "the publisher is gone",
      () => server.publishes("film").every(({ endedMs }) => endedMs !== null),
      5_000,
    );
    t.equal((await container.run("pidof", "ffmpeg")).code, 1, "no process is left");
    await systemctl("start", "streambro");
    await until("it publishes again", () => server.publishes("film").length === 2, 15_000);
    t.match(
      (await container.run("journalctl", "-u", "streambro", "-o", "cat")).stdout,
      /"event":"ended"/,
    );
  });
});
