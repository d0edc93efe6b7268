import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const [small, tiny] = ["sb-small-", "sb-tiny-"].map((name) => {
  const place = mkdtempSync(path.join(os.tmpdir(), name));
  const options = ["-t", "tmpfs", "-o", "size=512k", "tmpfs", place];
  const mounted = spawnSync("mount", options).status === 0;
  t.teardown(() => {
    if (mounted) spawnSync("umount", [place]);
    rmSync(place, { recursive: true, force: true });
  });
  return { place, mounted, filler: path.join(place, "filler") };
});
const whyNot =
  small?.mounted === true && tiny?.mounted === true
    ? false
    : "a full disk: this user may not mount a small file system";

t.test(
  "a full disk: what runs goes on, what starts says so",
  { skip: whyNot, timeout: 120_000 },
  async (t) => {
    if (small === undefined || tiny === undefined) return;
    const fill = (filler: string): void =>
      void spawnSync("sh", ["-c", `cat /dev/zero >>'${filler}'`], { stdio: "ignore" });
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const env = {
      STREAMBRO_STATE_DIR: `${small.place}/state`,
      STREAMBRO_RUNTIME_DIR: `${tiny.place}/run`,
      RETRY_MAX_MS: "500",
    };
    const daemon = await startDaemon({ env });
    t.teardown(async () => {
      for (const { filler } of [small, tiny]) rmSync(filler, { force: true });
      await daemon.end();
    });
    const input = await renderFilm({ seconds: 3, size: "160x90" });
    await daemon.rpc("stream.add", { name: "film", input, to: server.url, key: "film" });
    t.equal((await daemon.cli("start", "film", "--wait")).code, 0);
    const status = async (): Promise<StreamStatus | undefined> =>
      (await daemon.rpc("stream.status", {})).streams[0];

    fill(small.filler);
    fill(tiny.filler);
    const { pid = null, outputs = [] } = (await status()) ?? {};
    const before = outputs[0]?.bytes ?? 0;
    await until(
      "it delivers, over the end of the film, with no room for its log",
      async () => ((await status())?.outputs[0]?.bytes ?? 0) > before + 2 * statSync(input).size,
      40_000,
    );
    t.equal((await status())?.pid, pid, "it is the same FFmpeg");

    rmSync(small.filler);
    t.equal((await daemon.cli("stop", "film", "--wait")).code, 0);
    fill(tiny.filler);
    await daemon.rpc("stream.start", { name: "film" });
    const { lastError } = await until(
      "its start fails",
      async () => {
        const stream = await status();
        return stream?.lastError == null ? null : stream;
      },
      15_000,
    );
    t.match(lastError, { code: "disk-full", message: /no space left.*Make room on its disk/ });
    await until(
      "status NAME shows it",
      async () => (await daemon.cli("status", "film")).stdout.includes("Make room on its disk"),
      15_000,
    );
    rmSync(tiny.filler);
    await until("with room it is back", async () => (await status())?.state === "live", 30_000);
  },
);
