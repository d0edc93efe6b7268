import t from "tap";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

t.test("an FFmpeg that somebody suspended is replaced, and that is said", async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { STALL_TIMEOUT_MS: "2000" } });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4 });
  const to = `${server.url}/film`;
  await daemon.cli("add", "film", "--input", input, "--to", to, "--start");
  t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "30s")).code, 0);
  const [before] = (await daemon.rpc("stream.status", {})).streams;
  const pid = before?.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  const now = await until(
    "another FFmpeg delivers",
    async () => {
      const [film] = (await daemon.rpc("stream.status", {})).streams;
      return film?.pid !== pid && film?.health === "delivering" ? film : null;
    },
    40_000,
  );
  t.match(now.lastExit, { reason: "stalled", message: /suspended by SIGSTOP/ });
  t.equal(server.mostAtOnce("film"), 1);
});
