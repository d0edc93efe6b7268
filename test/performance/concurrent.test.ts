import { setTimeout as after } from "node:timers/promises";
import t from "tap";
import { ERRORS, EXIT } from "../../shared/errors.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { RpcFailure } from "../helpers/rpc.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** MAX_CONCURRENT_STREAMS_GLOBAL, as it is when nobody says. */
const MOST = 20;
/** As often as a person with a watch on `status` would. */
const ASK_MS = 200;
const NAMES = Array.from({ length: MOST }, (_, at) => `s${at}`);

t.test("Test system with maximum concurrent streams", { timeout: 180_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { MAX_CONCURRENT_STREAMS_PER_USER: String(2 * MOST) } });
  t.teardown(() => daemon.end());
  const { rpc } = daemon;
  const input = await renderFilm();
  const add = async (name: string): Promise<unknown> =>
    rpc("stream.add", { name, input, to: `${server.plainUrl}/${name}`, loop: true });
  await Promise.all([...NAMES, "late"].map(add));

  /** How long each answer took while all of them were starting, in milliseconds. */
  const answers: number[] = [];
  const started = new AbortController();
  const asking = (async () => {
    while (!started.signal.aborted) {
      const asked = performance.now();
      await rpc("stream.status", {});
      answers.push(performance.now() - asked);
      await after(ASK_MS);
    }
  })();
  const begun = performance.now();
  await Promise.all(NAMES.map(async (name) => rpc("stream.start", { name })));
  const live = async (name: string): Promise<string> =>
    (await rpc("stream.wait", { name, for: "live", waitMs: 20_000 })).outcome;
  await until(
    `all ${MOST} are live`,
    async () => (await Promise.all(NAMES.map(live))).every((outcome) => outcome === "reached"),
    90_000,
  );
  const tookMs = performance.now() - begun;
  started.abort();
  await asking;
  const slowest = Math.max(...answers) / tookMs;
  const text = `the slowest of ${answers.length} answers took ${(slowest * 100).toFixed(1)} % of what the starts took`;
  t.comment(text);
  t.ok(answers.length >= 5 && slowest < 0.5, text);

  const received = async (): Promise<Map<string, number>> =>
    new Map(
      (await server.stats()).streams
        .filter(({ publishers }) => publishers === 1)
        .map(({ name, bytesIn }) => [name, bytesIn]),
    );
  const before = await received();
  t.same([...before.keys()].sort(), NAMES.toSorted(), "the server has all of them, each once");
  await until(
    "each of them delivers",
    async () => {
      const now = await received();
      return NAMES.every((name) => (now.get(name) ?? 0) > (before.get(name) ?? 0));
    },
    20_000,
  );

  const refused = await daemon.cli("start", "late");
  t.equal(refused.code, EXIT.tryLater);
  t.match(refused.stderr, /late: not started: Maximum 20 concurrent streams reached/);
  const failure = await rpc("stream.start", { name: "late" }).catch((error: unknown) => error);
  t.ok(failure instanceof RpcFailure && failure.number === ERRORS.STREAM_LIMIT_EXCEEDED.rpc);
  t.same((await rpc("daemon.status", {})).streams, {
    ...{ stopped: 1, waiting: 0, starting: 0, live: MOST, backoff: 0 },
    ...{ stopping: 0, finished: 0, failed: 0, foreign: 0 },
  });

  await rpc("stream.stop", { name: "s0" });
  await rpc("stream.wait", { name: "s0", for: "stopped", waitMs: 20_000 });
  t.ok((await rpc("stream.start", { name: "late" })).changed, "a slot that is free is given away");
  t.equal(await live("late"), "reached");
});
