import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { startSlowRelay } from "../helpers/slow-relay.ts";
import { until } from "../helpers/until.ts";

t.test("a receiver that is too slow for the bitrate", { timeout: 240_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const slow = await startSlowRelay(server.ports.rtmp);
  t.teardown(() => slow.close());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4, size: "1280x720" });
  const to = `rtmp://127.0.0.1:${slow.port}/live/film`;
  await daemon.cli("add", "film", "--input", input, "--to", to, "--start");
  t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "30s")).code, 0);
  const statusOf = async (): Promise<StreamStatus> => {
    const [film] = (await daemon.rpc("stream.status", {})).streams;
    if (film === undefined) throw new Error("no stream");
    return film;
  };
  // Over a whole loop, or the rate would be that of a part of it.
  await pause(8_000);
  const kbps = (await statusOf()).outputs[0]?.bitrateKbps ?? 0;
  t.ok(kbps > 0, `${kbps} kbit/s`);
  slow.limit((kbps * 1000 * 0.7) / 8);
  const poor = await until(
    "it is congested",
    async () => {
      const status = await statusOf();
      return status.health === "congested" ? status : null;
    },
    150_000,
  );
  t.equal(poor.state, "live");
  t.match(poor.note, /takes only 0\.\d\dx of what is due/);
  t.ok((poor.outputs[0]?.backlogBytes ?? 0) > 100_000, "and what waits is told");
  t.match((await daemon.cli("ls")).stdout, /live +congested/);
  t.equal((await daemon.cli("status", "film")).code, 0, "on the air all the same");
  const { stdout } = await daemon.cli("metrics");
  t.match(stdout, /streambro_stream_health\{stream="film",owner="[^"]+",health="congested"\} 1/);
  t.match(stdout, /streambro_stream_delivering\{stream="film",owner="[^"]+"\} 0/);
  slow.limit(Number.POSITIVE_INFINITY);
  await until("it is over", async () => (await statusOf()).health === "delivering", 90_000);
  t.equal(server.publishes("film").length, 1, "one publisher throughout");
});
