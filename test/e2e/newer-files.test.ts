import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { processOf } from "../helpers/processes.ts";
import { RpcFailure } from "../helpers/rpc.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const RUNS = ["run", "halted"] as const;
const NAMES = [...RUNS, "spec", "memory"] as const;

/** The code of the error that an answer is. */
const codeOf = async (answer: Promise<unknown>): Promise<unknown> => {
  try {
    await answer;
    return null;
  } catch (error) {
    return error instanceof RpcFailure ? (error.data as { code?: unknown }).code : error;
  }
};

t.test("files of a release that is yet to come", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 5, size: "160x90" });
  const status = async (name: string): Promise<StreamStatus | undefined> =>
    (await daemon.rpc("stream.status", { names: [name] })).streams[0];
  const inState = async (name: string, state: string): Promise<StreamStatus> =>
    until(
      `${name} is ${state}`,
      async () => {
        const found = await status(name);
        return found?.state === state ? found : null;
      },
      25_000,
    );
  const fileOf: Readonly<Record<(typeof NAMES)[number], string>> = {
    run: path.join(daemon.runtimeDir, "runs/run/run.json"),
    halted: path.join(daemon.runtimeDir, "runs/halted/run.json"),
    spec: path.join(daemon.stateDir, "streams/spec.json"),
    memory: path.join(daemon.stateDir, "memory/memory.json"),
  };
  for (const name of NAMES) {
    await daemon.rpc("stream.add", { name, input, to: `${server.url}/${name}` });
    await daemon.rpc("stream.start", { name });
  }
  // It would send to where another one sends.
  await daemon.rpc("stream.add", { name: "second", input, to: `${server.url}/spec` });
  const pids = new Map<string, number>();
  for (const name of NAMES) pids.set(name, (await inState(name, "live")).pid ?? 0);
  await daemon.kill("SIGKILL");
  const before = new Map<string, string>();
  for (const name of NAMES) {
    const text = readFileSync(fileOf[name], "utf8");
    before.set(name, text);
    const json = JSON.parse(text) as object;
    writeFileSync(fileOf[name], JSON.stringify({ ...json, version: 99, later: true }));
  }
  const newer = new Map(NAMES.map((name) => [name, readFileSync(fileOf[name], "utf8")]));
  await daemon.start();

  await t.test("are shown, and what they are of stays on the air", async (t) => {
    for (const name of NAMES) {
      const found = await status(name);
      t.match(found, { state: "foreign", lastError: { code: "foreign" } }, name);
      t.match(found?.note, /written by a newer StreamBro: its format is version 99/, name);
      t.ok(processOf(pids.get(name) ?? 0), `${name}: its FFmpeg is untouched`);
    }
    const listed = (await daemon.rpc("stream.status", {})).streams.map(({ name }) => name);
    t.same(listed, ["halted", "memory", "run", "second", "spec"]);
    t.match((await daemon.rpc("daemon.status", {})).streams, { foreign: 4, stopped: 1 });
    const table = await daemon.cli("status");
    t.match(table.stdout, /spec +foreign/);
    t.match(await status("spec"), { pid: pids.get("spec"), input, desired: "running" });
  });

  await t.test("and no command makes a second publisher, or loses a word", async (t) => {
    for (const name of ["run", "spec", "memory"])
      t.match(
        await daemon.cli("start", name),
        {
          code: 1,
          stderr: /is on the air for this stream, and .*newer StreamBro.*leaves it alone/,
        },
        name,
      );
    t.match(await daemon.cli("stop", "halted"), { code: 1, stderr: /newer StreamBro/ });
    const named = { name: "spec" };
    const refusals = {
      stop: () => daemon.rpc("stream.stop", named),
      restart: () => daemon.rpc("stream.restart", named),
      set: () => daemon.rpc("stream.set", { ...named, loop: false }),
      rm: () => daemon.rpc("stream.remove", named),
    };
    for (const [command, refused] of Object.entries(refusals))
      t.equal(await codeOf(refused()), "FOREIGN_PROCESS", command);
    const taken = daemon.rpc("stream.add", { ...named, input, to: `${server.url}/other` });
    t.equal(await codeOf(taken), "STREAM_EXISTS");
    const second = daemon.rpc("stream.start", { name: "second" });
    t.equal(await codeOf(second), "DESTINATION_IN_USE", "nor by another name");
    for (const name of ["spec", "memory"] as const)
      t.equal(readFileSync(fileOf[name], "utf8"), newer.get(name), `${name}: every byte`);
    for (const name of NAMES) t.ok(processOf(pids.get(name) ?? 0), `${name} is on the air`);
  });

  await t.test("what ends is taken up again, or waits for the release that knows it", async (t) => {
    for (const name of NAMES) process.kill(pids.get(name) ?? 0, "SIGKILL");
    t.match(await inState("spec", "failed"), { lastError: { code: "newer" }, desired: "running" });
    await inState("memory", "failed");
    t.match(await daemon.cli("start", "spec"), { code: 1, stderr: /Install that release again/ });
    const back = await inState("run", "live");
    t.not(back.pid, pids.get("run"), "a run that was not its own blocks it no longer");
    await inState("halted", "stopped");
    await daemon.kill("SIGTERM");
    for (const name of ["spec", "memory"] as const) {
      t.equal(readFileSync(fileOf[name], "utf8"), newer.get(name), `${name}: every byte`);
      writeFileSync(fileOf[name], before.get(name) ?? "");
    }
    // As that release would find them.
    await daemon.start();
    for (const name of ["spec", "memory", "run"]) await inState(name, "live");
  });
  for (const name of NAMES) t.equal(server.mostAtOnce(name), 1, `${name}: one publisher at a time`);
});
