import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { type Piece, isContiguousPiece, trackPiece } from "../helpers/contiguous.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film, renderFilm } from "../helpers/film.ts";
import { type Packet, ofTrack, packetHashes } from "../helpers/packets.ts";
import { processOf } from "../helpers/processes.ts";
import { type Publish } from "../helpers/rtmp-publishes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { seeded } from "../helpers/seeded.ts";
import { until } from "../helpers/until.ts";

const KILLS = 8;
const FRAMES_A_SECOND = 25;

const pidOf = async (daemon: Daemon): Promise<number> => {
  const { streams } = await daemon.rpc("stream.status", { names: ["film"] });
  return streams[0]?.pid ?? 0;
};

/** Index of the last keyframe at or before a packet that lies `index` packets into the looped source. */
const keyframeBefore = (video: readonly Packet[], index: number): number => {
  for (let at = index; at > index - video.length; at -= 1) {
    if (video[((at % video.length) + video.length) % video.length]?.key === true) return at;
  }
  return index;
};

t.test("FFmpeg is killed again and again", { timeout: 200_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await film();
  const packets = await packetHashes(source);
  const video = ofTrack(packets, "video");
  await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`, "--start");
  await server.waitForPublisher("film", 10_000);
  const { random, seed } = seeded();
  t.comment(`seed ${seed}`);

  /** Kills FFmpeg and waits for its successor at the server; how long that took. */
  const killOnce = async (): Promise<number> => {
    const turns = server.publishes("film").length;
    const pid = await until("FFmpeg is known", async () => pidOf(daemon), 10_000);
    const at = Date.now();
    process.kill(pid, "SIGKILL");
    await until("the next publisher comes", () => server.publishes("film").length > turns, 10_000);
    await server.waitForPublisher("film", 10_000);
    return (server.publishes("film")[turns]?.startedMs ?? Infinity) - at;
  };

  /** Each run is a piece of the looped film that overlaps the one before and begins at its last keyframe. */
  const compare = async (before: Publish, after: Publish, what: string): Promise<void> => {
    const [earlier, later] = [await packetHashes(before.file ?? ""), await packetHashes(after.file ?? "")];
    const [first, second] = [isContiguousPiece(earlier, packets), isContiguousPiece(later, packets)];
    if (!t.ok(first, `${what}: the run before is one piece`) || !t.ok(second, `${what}: the run after is one piece`)) return;
    for (const track of ["video", "audio"] as const) {
      const [one, two] = [first?.[track], second?.[track]];
      if (one === undefined || two === undefined) continue;
      t.ok(skipped(one, two) === 0, `${what}: no ${track} is skipped`, { one, two });
    }
    const begun = trackPiece(ofTrack(later, "video"), video);
    const reached = ((first?.video?.to ?? 1) - 1) % video.length;
    const last = keyframeBefore(video, reached);
    // FFmpeg says where it is twice a second: of the last second before the kill, less may be known.
    const known = keyframeBefore(video, reached - FRAMES_A_SECOND);
    const expected = [last, known].map((at) => ((at % video.length) + video.length) % video.length);
    t.ok(
      expected.includes(begun?.from ?? -1),
      `${what}: begins at the last keyframe at or before frame ${reached}`,
      { begun, expected },
    );
  };

  for (let kill = 0; kill < KILLS; kill += 1) {
    // Also at once, before anything was reported.
    await pause(random() ** 2 * 6_000);
    const tookMs = await killOnce();
    t.ok(tookMs < 2_000, `kill ${kill}: back on the air in ${tookMs} ms`);
  }

  await daemon.cli("stop", "film", "--wait");
  const turns = await until("all recordings are closed", () => {
    const all = server.publishes("film");
    return all.every(({ endedMs }) => endedMs !== null) ? all : null;
  }, 5_000);
  t.equal(server.mostAtOnce("film"), 1, "never a second publisher");
  for (let turn = 1; turn <= KILLS; turn += 1) {
    const [before, after] = [turns[turn - 1], turns[turn]];
    if (before !== undefined && after !== undefined) await compare(before, after, `kill ${turn - 1}`);
  }
});

t.test("daemon and FFmpeg die, and the runtime directory with them, as in a reboot", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const source = await renderFilm({ seconds: 60, size: "160x90" });
  const video = ofTrack(await packetHashes(source), "video");
  await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`, "--start");
  await server.waitForPublisher("film", 10_000);
  const memory = path.join(daemon.stateDir, "memory/film.json");
  const saved = (): number => JSON.parse(readFileSync(memory, "utf8")).position.ms;
  await until("a checkpoint past the first keyframes", () => saved() > 5_000, 20_000);
  const checkpoint = saved();
  const pid = await pidOf(daemon);
  await daemon.kill("SIGKILL");
  process.kill(pid, "SIGKILL");
  await until("FFmpeg is gone", () => processOf(pid) === null, 5_000);
  rmSync(daemon.runtimeDir, { recursive: true, force: true });
  await daemon.start();
  await until("it publishes again", () => server.publishes("film").length === 2, 10_000);
  await server.waitForPublisher("film", 5_000);
  await daemon.cli("stop", "film", "--wait");
  const [before, after] = await until("both recordings are closed", () => {
    const all = server.publishes("film");
    return all.length === 2 && all.every(({ endedMs }) => endedMs !== null) ? all : null;
  }, 5_000);
  const [old, piece] = [
    trackPiece(ofTrack(await packetHashes(before?.file ?? ""), "video"), video),
    trackPiece(ofTrack(await packetHashes(after?.file ?? ""), "video"), video),
  ];
  t.equal(piece?.from, keyframeBefore(video, Math.round((checkpoint / 1_000) * FRAMES_A_SECOND)), "at the checkpoint's keyframe");
  t.ok((piece?.from ?? Infinity) < (old?.to ?? 0), "and nothing is skipped");
});

/** Packets between the end of one piece and the beginning of the next, on the shorter way round. */
const skipped = (one: Piece, two: Piece): number => {
  const { sourceLength } = one;
  const ahead = (((two.from - one.to) % sourceLength) + sourceLength) % sourceLength;
  // Going on means beginning before the end, by less than half of the film.
  return ahead !== 0 && ahead < sourceLength / 2 ? ahead : 0;
};
