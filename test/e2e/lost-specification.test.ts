import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { isAlive, processOf, waitForEnd } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

t.test("a specification that is damaged under a live stream", { timeout: 60_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await renderFilm({ seconds: 4 });
  const key = "live_lost-3f9a77c1";
  const same = { input, to: server.url, key };
  await daemon.rpc("stream.add", { name: "radio", ...same });
  await daemon.rpc("stream.add", { name: "second", ...same });
  await daemon.rpc("stream.start", { name: "radio" });
  const live = async (name: string) =>
    until(
      `${name} is live`,
      async () => {
        const [stream] = (await daemon.rpc("stream.status", { names: [name] })).streams;
        return stream?.state === "live" ? stream : null;
      },
      25_000,
    );
  const { pid } = await live("radio");
  const ffmpeg = processOf(pid ?? 0);
  if (ffmpeg === null) throw new Error("it is not there");
  await daemon.kill("SIGKILL");
  const file = path.join(daemon.stateDir, "streams/radio.json");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
  // It is to be started by the daemon itself, and must not be.
  const second = path.join(daemon.stateDir, "streams/second.json");
  writeFileSync(second, readFileSync(second, "utf8").replace('"stopped"', '"running"'));
  await daemon.start();

  const listed = await daemon.rpc("stream.status", {});
  t.match(
    listed.streams.find(({ name }) => name === "radio"),
    {
      state: "foreign",
      pid,
      input,
      lastError: { code: "foreign", message: /end it with: kill \d/ },
    },
  );
  t.notMatch(JSON.stringify(listed), key);
  const { warnings } = await daemon.rpc("daemon.status", {});
  t.match(warnings, [/radio\.json could not be read .* set aside/, /FFmpeg \d+ is on the air/]);
  for (const command of ["start", "stop", "restart", "set", "rm"]) {
    const args = command === "set" ? ["--loop", "off"] : [];
    t.match(await daemon.cli(command, "radio", ...args), { code: /[1-9]/ }, command);
  }
  t.match(await daemon.cli("add", "radio", "--input", input, "--to", server.url), {
    stderr: /radio: not added: .* is left alone/,
  });
  t.match(await daemon.cli("start", "second"), {
    stderr: /radio is sending to the same destination with the same key .* status radio/,
  });
  t.match((await daemon.cli("history", "radio")).stdout, /stopped -> foreign .*on the air/);
  const counted = async () => (await daemon.rpc("limits.get", {})).active.users["(unknown)"];
  t.equal(await counted(), 1, "it has a slot of the limits");
  t.equal(server.mostAtOnce(key), 1, "nobody else was sent there");
  t.match(await daemon.cli("daemon", "stop"), {
    code: 0,
    stderr: /^1 foreign stream left on the air\.$/m,
  });
  await until("the daemon is gone", () => !daemon.running(), 20_000);
  t.ok(isAlive(ffmpeg));
  await daemon.start();

  process.kill(ffmpeg.pid, "SIGKILL");
  await waitForEnd(ffmpeg, 10_000);
  const after = await daemon.rpc("stream.status", {});
  t.same(
    after.streams.map(({ name }) => name),
    ["second"],
    "with its process it is gone",
  );
  await live("second");
  t.notOk(await counted());
  t.equal((await daemon.cli("add", "radio", "--input", input, "--to", server.url)).code, 0);
});
