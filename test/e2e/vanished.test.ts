import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { binIn, makeNamespaces, whyNoNamespaces } from "../helpers/namespaces.ts";
import { NGINX, rtmpModule } from "../helpers/rtmp-config.ts";
import { until } from "../helpers/until.ts";

const skip = (await whyNoNamespaces()) ?? false;

/** A receiver that notes down when somebody begins and ends to publish; `ping` is far off. */
const configuration = (dir: string, address: string): string => `
load_module ${rtmpModule()};
daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log info;
events { worker_connections 64; }
rtmp {
  server {
    listen ${address}:1935;
    ping 10m;
    application live {
      live on;
      exec_publish /bin/sh -c "date +%s%3N >>${dir}/turns";
    }
  }
}
`;

t.test("a receiver that vanishes without closing", { skip, timeout: 120_000 }, async (t) => {
  const network = await makeNamespaces();
  t.teardown(() => network.remove());
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-ns-"));
  writeFileSync(path.join(dir, "nginx.conf"), configuration(dir, network.address));
  const place = ["netns", "exec", network.receiver, "setpriv", "--pdeathsig", "KILL"];
  const nginx: ChildProcess = spawn(
    "ip",
    [...place, NGINX, "-e", "error.log", "-p", dir, "-c", "nginx.conf"],
    { stdio: "ignore" },
  );
  t.teardown(() => nginx.kill("SIGKILL"));
  await until("nginx listens", () => existsSync(path.join(dir, "nginx.pid")), 10_000);
  const daemon = await startDaemon({ bin: binIn(network.sender, path.join(dir, "bin")) });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4 });
  const to = `rtmp://${network.address}/live/film`;
  await daemon.cli("add", "film", "--input", input, "--to", to, "--start");
  t.equal((await daemon.cli("wait", "film", "--for", "live", "--timeout", "20s")).code, 0);
  const statusOf = async (): Promise<StreamStatus | undefined> =>
    (await daemon.rpc("stream.status", {})).streams[0];
  const turns = (): number[] =>
    readFileSync(path.join(dir, "turns"), "utf8").trim().split("\n").map(Number);
  await pause(4_000);

  await network.drop(true);
  const vanished = performance.now();
  await until("it is stalled", async () => (await statusOf())?.health === "stalled", 30_000);
  const toldMs = performance.now() - vanished;
  t.comment(`stalled after ${Math.round(toldMs)} ms`);
  t.ok(toldMs < 15_000, "told within 15 s");
  // Long enough for the lost connection to be tried only seldom.
  await pause(Math.max(0, 22_000 - (performance.now() - vanished)));
  const before = await statusOf();
  await network.drop(false);
  const back = Date.now();
  const again = await until(
    "it is on the air again",
    async () => (await statusOf())?.health === "delivering",
    40_000,
  );
  t.ok(again);
  const at = turns().at(-1) ?? 0;
  const isPending = before?.state === "starting";
  const dueMs = isPending ? 0 : Date.parse(before?.retryAt ?? "") - back;
  const tookMs = at - back;
  t.comment(`${before?.state}, due in ${dueMs} ms: publishing again after ${tookMs} ms`);
  // Where an attempt was about to give up, the next one comes after the current delay.
  t.ok(tookMs < Math.max(0, dueMs) + 10_000 + 3_500, `${tookMs} ms`);
  const refused = readFileSync(path.join(dir, "error.log"), "utf8").match(/already publishing/g);
  t.ok((refused?.length ?? 0) <= 2, "its own lost connection does not stand in its way for long");
  t.equal(daemon.events().filter(({ event }) => event === "ghost").length, 1, "it was reset");
});
