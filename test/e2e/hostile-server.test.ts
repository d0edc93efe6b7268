import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { FAILURE_REASONS } from "../../shared/states.ts";
import { deceives, steers } from "../helpers/controls.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import {
  type HostileServer,
  type Malice,
  startHostileDatagrams,
  startHostileServer,
} from "../helpers/hostile-rtmp.ts";
import { until } from "../helpers/until.ts";

/** In it whoever talks to a receiver has to say it, and nobody else may read it. */
const keyOf = (name: string): string => `hunter2-${name}-9f3e`;
/** A title, a cleared screen, a line of its own, and text that runs backwards. */
const wordsOf = (name: string): string =>
  `${keyOf(name)} is\u001B]0;bad\u0007 not\u001B[2J\u009B known\nradio: live\r\n\u202E${keyOf(name)}\u0000 `;

/** In FFmpeg's name, that it could never play this. */
const LIES = `releaseStream${"\nUnknown encoder 'x'".repeat(12)}`;

const MALICE: readonly (readonly [name: string, malice: Malice, words?: string])[] = [
  ["garbage", "garbage"],
  ["half", "half-handshake"],
  ["endless", "endless"],
  ["tarpit", "tarpit"],
  ["huge", "huge-chunk-size"],
  ["negative", "negative-chunk-size"],
  ["message", "long-message"],
  ["redirect", "redirect"],
  ["refusal", "refusal"],
  ["long", "long-refusal"],
  ["lies", "refusal", LIES],
  ["echo", "echo"],
];
const RETRY_FIRST_MS = 1_000;
const LOG_MAX_BYTES = 65_536;
const DEADLINE_MS = 150_000;

t.test("a receiver that means ill", { timeout: 220_000 }, async (t) => {
  const input = await renderFilm({ seconds: 4, size: "160x90" });
  const elsewhere = await startHostileServer("garbage", "never mind");
  t.teardown(() => elsewhere.close());
  const servers = new Map<string, HostileServer>();
  for (const [name, malice, words = wordsOf(name)] of MALICE) {
    const server = await startHostileServer(malice, words, elsewhere.port);
    t.teardown(() => server.close());
    servers.set(name, server);
  }
  const datagrams = await startHostileDatagrams(wordsOf("datagrams"));
  t.teardown(() => datagrams.close());
  servers.set("datagrams", datagrams);
  const daemon = await startDaemon({
    env: {
      ...{ LIMITER_ENABLED: "false", LOG_LEVEL: "debug", START_TIMEOUT_MS: "3000" },
      ...{ LOG_MAX_BYTES: String(LOG_MAX_BYTES), FORCE_KILL_TIMEOUT_MS: "1000" },
      ...{
        RETRY_FIRST_MS: String(RETRY_FIRST_MS),
        RETRY_MAX_MS: "30000",
        RETRY_MAX_LATER_MS: "30000",
      },
    },
  });
  t.teardown(() => daemon.end());
  const began = performance.now();
  for (const [name, { port }] of servers) {
    await daemon.rpc("stream.add", {
      name,
      input,
      to: name === "datagrams" ? `srt://127.0.0.1:${port}` : `rtmp://127.0.0.1:${port}/live`,
      key: keyOf(name),
    });
    await daemon.rpc("stream.start", { name });
  }
  const twice = until(
    "each has been tried again",
    async () => {
      const { streams } = await daemon.rpc("stream.status", {});
      const left = streams.filter(
        ({ name, lastExit }) =>
          lastExit === null || (servers.get(name)?.connections.length ?? 0) < 2,
      );
      return left.length === 0;
    },
    DEADLINE_MS,
  );
  // Which of them was not is said below.
  await twice.catch(() => {});
  const lasted = performance.now() - began;

  for (const [name, { connections }] of servers) {
    await t.test(name, async (t) => {
      const [stream] = (await daemon.rpc("stream.status", { names: [name] })).streams;
      t.not(stream?.state, "failed", "it is tried again");
      t.ok(connections.length >= 2, `${connections.length} connections`);
      t.ok(connections.length < lasted / (RETRY_FIRST_MS / 2), "with a pause between them");
      const { reason = "", message = "" } = stream?.lastExit ?? {};
      t.ok((FAILURE_REASONS as readonly string[]).includes(reason), `${reason}: ${message}`);
      t.not(reason, "unknown", message);
      t.comment(`${reason}: ${message}`);
      t.ok(message.length < 700, "a sentence and no more");
      const log = path.join(daemon.stateDir, "logs", `${name}.log`);
      t.ok(statSync(log).size < 4 * LOG_MAX_BYTES, "its log stays short");
    });
  }

  await t.test("nothing that it says steers a terminal or shows a key", async (t) => {
    const said = ["echo", "refusal"].map((name) =>
      readFileSync(path.join(daemon.stateDir, "logs", `${name}.log`), "utf8"),
    );
    t.match(said[0], keyOf("echo"), "FFmpeg did write what the server repeated");
    t.match(said[1], "radio: live", "and what it made up");
    const places: [string, string][] = [["the daemon's log", daemon.log()]];
    for (const line of [
      "status",
      "status --json",
      "logs --all -n 1000",
      "logs --all --json",
      "history",
    ]) {
      const { stdout, stderr } = await daemon.cli(...line.split(" "));
      t.match(stdout, "echo", line);
      places.push([line, stdout + stderr]);
    }
    const answers = [await daemon.rpc("stream.status", {}), await daemon.rpc("history.list", {})];
    places.push(["what is answered", JSON.stringify(answers)]);
    for (const [place, text] of places) {
      t.notMatch(text, /hunter2/, `${place} has no key`);
      // Lines of a log that go to a program are left as they are, but for what steers a terminal.
      const isBad = place === "logs --all -n 1000" ? steers(text) : deceives(text);
      t.notOk(isBad, `${place} has no control character`);
      t.notMatch(text, /^radio: live/m, `${place} has no line that the server made`);
    }
  });

  await t.test("nobody is sent elsewhere with the key", async (t) => {
    t.notMatch(elsewhere.heard(), /hunter2/);
    t.equal(elsewhere.connections.length, 0, "nor without it");
  });
});
