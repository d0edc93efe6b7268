import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { type Sample, parseExposition, valueOf } from "../helpers/exposition.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const [ANNA, BEN] = [userInfo().username, "nobody"] as const;

const one = async (daemon: Daemon, name: string): Promise<StreamStatus> => {
  const [stream] = (await daemon.rpc("stream.status", { names: [name] })).streams;
  if (stream === undefined) throw new Error(`no ${name}`);
  return stream;
};

const state = async (daemon: Daemon, name: string, wanted: string): Promise<StreamStatus> =>
  until(
    `${name} is ${wanted}`,
    async () => {
      const stream = await one(daemon, name);
      return stream.state === wanted ? stream : null;
    },
    15_000,
  );

const metrics = async (daemon: Daemon): Promise<readonly Sample[]> =>
  (await daemon.rpc("daemon.metrics", {})).metrics;

const urls = (daemon: Daemon): string[] =>
  daemon.events().flatMap((event) => (event["event"] === "metrics" ? [String(event["url"])] : []));

/** Values that move by themselves from one look to the next. */
const STEADY = (sample: Sample): boolean =>
  !/^process_|_seconds_total$|_bitrate_|_cpu_|_memory_|_delivering$/.test(sample.name);

t.test("metrics", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({
    env: {
      METRICS_LISTEN: "127.0.0.1:0",
      RESOURCE_WARNING_CPU_PERCENT: "100000",
      RESOURCE_WARNING_MEMORY_MB: "1",
      RESOURCE_BREACH_MS: "0",
      RESOURCE_MONITOR_INTERVAL_MS: "1000",
    },
  });
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4 });
  const add = async (
    name: string,
    owner: string,
    onResourceBreach: "warn" | "restart" | "stop",
  ): Promise<void> => {
    const to = `${server.url}/${name}`;
    await daemon.rpc("stream.add", { name, input, to, owner, onResourceBreach });
    await daemon.rpc("stream.start", { name });
  };

  await t.test("a start, a kill, a stop are counted, by owner", async (t) => {
    await add("radio", ANNA, "warn");
    await add("news", BEN, "warn");
    await state(daemon, "radio", "live");
    await state(daemon, "news", "live");
    const { pid } = await one(daemon, "radio");
    process.kill(pid ?? 0, "SIGKILL");
    await until(
      "radio is back",
      async () => {
        const now = await one(daemon, "radio");
        return now.state === "live" && now.pid !== pid;
      },
      15_000,
    );
    await daemon.rpc("stream.stop", { name: "news" });
    await state(daemon, "news", "stopped");
    const found = await metrics(daemon);
    const rows: readonly [string, Record<string, string>, number | null][] = [
      ["streambro_stream_starts_total", { owner: ANNA }, 2],
      ["streambro_stream_on_air_total", { owner: ANNA }, 2],
      ["streambro_stream_failures_total", { owner: ANNA, reason: "killed" }, 1],
      ["streambro_stream_restarts_total", { owner: ANNA }, 1],
      ["streambro_stream_stops_total", { owner: ANNA }, 0],
      ["streambro_stream_starts_total", { owner: BEN }, 1],
      ["streambro_stream_stops_total", { owner: BEN }, 1],
      ["streambro_stream_failures_total", { owner: BEN }, null],
      ["streambro_encoder_starts_total", { encoder: "copy", kind: "copy" }, 3],
      ["streambro_force_kills_total", { owner: ANNA }, 0],
      ["streambro_cleanups_total", { result: "failure" }, 0],
      ["streambro_active_streams", { owner: ANNA }, 1],
      ["streambro_active_streams", { owner: BEN }, 0],
      ["streambro_active_streams_global", {}, 1],
      ["streambro_streams", { state: "live" }, 1],
      ["streambro_streams", { state: "stopped" }, 1],
      ["streambro_limit", { scope: "global" }, 20],
      ["streambro_stream_desired", { stream: "radio" }, 1],
      ["streambro_stream_delivering", { stream: "radio" }, 1],
      ["streambro_stream_delivering", { stream: "news" }, 0],
    ];
    for (const [name, labels, value] of rows)
      t.equal(valueOf(found, name, labels), value, `${name} ${JSON.stringify(labels)}`);
    const desired = valueOf(found, "streambro_desired_seconds_total", { owner: ANNA }) ?? 0;
    const delivering = valueOf(found, "streambro_delivering_seconds_total", { owner: ANNA });
    t.ok(desired > 0 && (delivering ?? -1) <= desired, `${delivering} s of ${desired} s`);
  });

  await t.test("the thresholds: one warning in the document's words, no action", async (t) => {
    const { usage } = await until(
      "radio is warned of",
      async () => {
        const now = await one(daemon, "radio");
        return (now.usage?.warnings ?? 0) > 0 ? now : null;
      },
      10_000,
    );
    t.ok((usage?.memoryBytes ?? 0) > 10 * 1_048_576);
    t.ok((usage?.pssBytes ?? 0) > 0 && (usage?.pssBytes ?? 0) < (usage?.memoryBytes ?? 0));
    const found = await metrics(daemon);
    const gauge = (name: string): number =>
      valueOf(found, `streambro_stream_${name}`, { stream: "radio", owner: ANNA }) ?? -1;
    t.ok(gauge("memory_bytes") > 10 * 1_048_576 && gauge("cpu_percent") >= 0, "and so do gauges");
    const at = usage?.at;
    await until(
      "two looks later",
      async () => (await one(daemon, "radio")).usage?.at !== at,
      5_000,
    );
    const warned = daemon
      .events()
      .filter((event) => event["event"] === "RESOURCE_WARNING" && event["stream"] === "radio");
    t.ok(warned.length >= 1 && warned.length <= 2, "once a process, and there were two");
    t.match(warned[0], {
      level: "warn",
      msg: /^Stream radio using high resources: CPU \d+%, Memory \d+ MB$/,
    });
    t.equal((await one(daemon, "radio")).state, "live");
    t.equal(
      valueOf(await metrics(daemon), "streambro_resource_breaches_total", {
        owner: ANNA,
        action: "warn",
      }),
      warned.length,
    );
    const table = (await daemon.cli("ls", "radio")).stdout;
    t.match(table, /SPEED +CPU +MEM +RESTARTS/);
    t.match(table, /x +\d+(\.\d)?% +\d+ MB /);
  });

  await t.test("a limit's refusal is counted, and so is what a stop clears away", async (t) => {
    await daemon.rpc("limits.set", { users: { [BEN]: 0 } });
    await t.rejects(daemon.rpc("stream.start", { name: "news" }), /Maximum 0 concurrent/);
    const found = await metrics(daemon);
    const refusals = (owner: string, scope: string): number | null =>
      valueOf(found, "streambro_limit_refusals_total", { owner, scope });
    t.equal(refusals(BEN, "user"), 1);
    t.equal(refusals(BEN, "global"), null);
    t.equal(valueOf(found, "streambro_limit", { scope: "user", owner: BEN }), 0);
    t.ok((valueOf(found, "streambro_cleanups_total", { result: "success" }) ?? 0) > 0);
    t.ok((valueOf(found, "streambro_cleanup_freed_bytes_total") ?? 0) > 0);
    await daemon.rpc("limits.set", { users: { [BEN]: null } });
  });

  await t.test("a lasting breach stops a stream, and says so for good", async (t) => {
    await add("chess", BEN, "stop");
    const stopped = await state(daemon, "chess", "stopped");
    t.match(stopped, {
      desired: "stopped",
      lastError: { code: "resource-breach", message: /^stopped for using high resources.*CPU/ },
      lastExit: { reason: "resource-breach" },
    });
    t.match((await daemon.cli("ls", "chess")).stdout, /stopped for using high resources/);
    const told = daemon.events().find(({ event }) => event === "resource-breach");
    t.match(told, { level: "warn", action: "stop", msg: /^chess: stopping it, using high/ });
  });

  await t.test("or restarts it, as planned", async (t) => {
    await add("cats", BEN, "restart");
    const pid = await until("cats runs", async () => (await one(daemon, "cats")).pid, 10_000);
    const again = await until(
      "cats has a fresh process",
      async () => {
        const now = await one(daemon, "cats");
        return now.pid !== null && now.pid !== pid ? now : null;
      },
      10_000,
    );
    t.equal(again.restarts, 0, "nothing failed");
    await daemon.rpc("stream.stop", { name: "cats" });
    await state(daemon, "cats", "stopped");
    t.ok(
      (valueOf(await metrics(daemon), "streambro_resource_breaches_total", {
        owner: BEN,
        action: "restart",
      }) ?? 0) >= 1,
    );
  });

  await t.test("a kill -9 of the daemon loses no count", async (t) => {
    const file = path.join(daemon.stateDir, "metrics.json");
    const stops = valueOf(await metrics(daemon), "streambro_stream_stops_total");
    await until(
      "the counts are on disk",
      () => {
        const { counters } = JSON.parse(readFileSync(file, "utf8")) as { counters: Sample[] };
        return valueOf(counters, "streambro_stream_stops_total") === stops;
      },
      5_000,
    );
    const before = (await metrics(daemon)).filter(({ name }) => name.endsWith("_total"));
    await daemon.restart("SIGKILL");
    const after = await metrics(daemon);
    for (const { name, labels, value } of before.filter(STEADY)) {
      // Taken up again, the one that runs crosses its threshold anew.
      if (!name.startsWith("streambro_resource_"))
        t.equal(valueOf(after, name, labels), value, `${name} ${JSON.stringify(labels)}`);
    }
    t.equal((await one(daemon, "chess")).lastError?.code, "resource-breach");
  });

  await t.test("HTTP and the command line tell the same", async (t) => {
    // Until then a count may come between two looks.
    await until(
      "radio's warning is behind us",
      async () => ((await one(daemon, "radio")).usage?.warnings ?? 0) > 0,
      10_000,
    );
    const url = urls(daemon).at(-1) ?? "";
    const answer = await fetch(url);
    t.equal(answer.status, 200);
    t.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const scraped = parseExposition(await answer.text());
    const printed = await daemon.cli("metrics");
    t.equal(printed.code, 0, printed.stderr);
    t.equal(printed.stderr, "");
    const text = parseExposition(printed.stdout);
    const data = await daemon.cli("metrics", "--json");
    const json = JSON.parse(data.stdout) as { version: number; metrics: Sample[] };
    t.equal(json.version, 1);
    const plain = (samples: readonly Sample[]): unknown =>
      samples.filter(STEADY).map(({ name, labels, value }) => ({ name, labels, value }));
    t.same(plain(text.samples), plain(scraped.samples));
    t.same(plain(json.metrics), plain(scraped.samples));
    t.same([...text.types], [...scraped.types]);
    t.equal((await daemon.cli("metrics", "-q")).stdout, "");
    t.equal((await fetch(new URL("/", url))).status, 404);
    t.equal((await fetch(url, { method: "HEAD" })).status, 200);
  });

  await t.test("a file of counts that cannot be read is set aside, not deleted", async (t) => {
    const file = path.join(daemon.stateDir, "metrics.json");
    await daemon.kill("SIGKILL");
    writeFileSync(file, "{");
    await daemon.start();
    const { warnings } = await daemon.rpc("daemon.status", {});
    t.match(
      warnings.join(),
      /metrics\.json could not be read .* set aside as metrics\.json\.unrea/,
    );
    const aside = readdirSync(daemon.stateDir).find((name) => name.startsWith("metrics.json.unr"));
    t.equal(readFileSync(path.join(daemon.stateDir, aside ?? ""), "utf8"), "{");
    t.equal((await one(daemon, "radio")).state, "live");
    await daemon.rpc("daemon.stop", { keepStreams: false });
    await until("the daemon has gone", () => !daemon.running(), 10_000);
    t.ok(existsSync(file), "and saved at its end");
    const { counters } = JSON.parse(readFileSync(file, "utf8")) as { counters: Sample[] };
    t.equal(valueOf(counters, "streambro_stream_stops_total", { owner: ANNA }), 1);
    await t.rejects(fetch(urls(daemon).at(-1) ?? ""), "nobody serves any more");
  });
});
