import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t, { type Test } from "tap";
import { type Piece, firstBreak, isContiguousPiece, trackPiece } from "../helpers/contiguous.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film, renderFilm } from "../helpers/film.ts";
import { type Packet, ofTrack, packetHashes } from "../helpers/packets.ts";
import { processOf } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { seeded } from "../helpers/seeded.ts";
import { until } from "../helpers/until.ts";

const KILLS = 8;
const FRAMES_A_SECOND = 25;

const pidOf = async (daemon: Daemon, name: string): Promise<number> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  return streams[0]?.pid ?? 0;
};

/** Index of the last keyframe at or before a packet that lies `index` packets into the looped source. */
const keyframeBefore = (video: readonly Packet[], index: number): number => {
  for (let at = index; at > index - video.length; at -= 1) {
    if (video[inOneRound(at, video.length)]?.key === true) return at;
  }
  return index;
};

t.test("FFmpeg is killed again and again", { timeout: 200_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const { random, seed } = seeded();
  t.comment(`seed ${seed}`);
  const sources = { film: await film(), dense: await renderFilm({ seconds: 12, gop: 25 }) };

  const killAgainAndAgain = async (name: "film" | "dense"): Promise<void> => {
    await daemon.cli(
      "add",
      name,
      "--input",
      sources[name],
      "--to",
      `${server.url}/${name}`,
      "--start",
    );
    await server.waitForPublisher(name, 10_000);
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Now and then at once, before anything was reported.
      await pause(random() ** 2 * 6_000);
      const turns = server.publishes(name).length;
      const pid = await until("FFmpeg is known", async () => pidOf(daemon, name), 10_000);
      const at = Date.now();
      process.kill(pid, "SIGKILL");
      await until("the next publisher comes", () => server.publishes(name).length > turns, 10_000);
      const tookMs = (server.publishes(name)[turns]?.startedMs ?? Infinity) - at;
      t.ok(tookMs < 2_000, `${name}, kill ${kill}: back on the air in ${tookMs} ms`);
      await server.waitForPublisher(name, 10_000);
    }
    await daemon.cli("stop", name, "--wait");
  };
  await Promise.all([killAgainAndAgain("film"), killAgainAndAgain("dense")]);

  for (const name of ["film", "dense"] as const) {
    const turns = await until(
      "all recordings are closed",
      () => {
        const all = server.publishes(name);
        return all.every(({ endedMs }) => endedMs !== null) ? all : null;
      },
      5_000,
    );
    t.equal(server.mostAtOnce(name), 1, `${name}: never a second publisher`);
    const source = await packetHashes(sources[name]);
    const runs: Packet[][] = [];
    for (const { file } of turns) runs.push(await recorded(file));
    // A run that was killed before its first picture arrived has nothing to compare.
    const seen = runs.filter((run) => ofTrack(run, "video").length > 0);
    t.ok(seen.length > KILLS / 2, `${name}: ${seen.length} runs were recorded`);
    for (const [index, run] of seen.entries()) {
      compare(t, seen[index - 1], run, source, `${name}, run ${index}`);
    }
  }
});

/** Each run is a piece of the looped film that overlaps the one before and begins at its last keyframe. */
const compare = (
  t: Test,
  before: Packet[] | undefined,
  after: Packet[],
  source: Packet[],
  what: string,
): void => {
  const second = isContiguousPiece(after, source);
  if (!t.ok(second, `${what} is one piece of the film`, { broken: firstBreak(after, source) }))
    return;
  if (before === undefined) return;
  const first = isContiguousPiece(before, source);
  const video = ofTrack(source, "video");
  for (const track of ["video", "audio"] as const) {
    const [one, two] = [first?.[track], second?.[track]];
    if (one !== undefined && two !== undefined)
      t.equal(skipped(one, two, furthestBack(video)), 0, `${what}: no ${track} is skipped`);
  }
  const reached = ((first?.video?.to ?? 1) - 1) % video.length;
  // FFmpeg says where it is twice a second: of the last second before the kill, less may be known.
  const keyframes = [reached, reached - FRAMES_A_SECOND].map((at) =>
    inOneRound(keyframeBefore(video, at), video.length),
  );
  const begun = second?.video?.from ?? -1;
  t.ok(
    keyframes.includes(begun),
    `${what}: begins at frame ${begun}, the last keyframe at or before ${reached}`,
  );
};

/** Packets of a recording; none where it ended before it had a header. */
const recorded = async (file: string | null): Promise<Packet[]> => {
  try {
    return file === null ? [] : await packetHashes(file);
  } catch {
    return [];
  }
};

const inOneRound = (index: number, length: number): number => ((index % length) + length) % length;

t.test(
  "daemon and FFmpeg die, and the runtime directory with them, as in a reboot",
  { timeout: 90_000 },
  async (t) => {
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const daemon = await startDaemon();
    t.teardown(() => daemon.end());
    const source = await renderFilm({ seconds: 60, size: "160x90" });
    const video = ofTrack(await packetHashes(source), "video");
    await daemon.cli("add", "film", "--input", source, "--to", `${server.url}/film`, "--start");
    await server.waitForPublisher("film", 10_000);
    const memory = path.join(daemon.stateDir, "memory/film.json");
    const saved = (): number => JSON.parse(readFileSync(memory, "utf8")).reached?.outTimeMs ?? 0;
    await until("a checkpoint past the first keyframes", () => saved() > 5_000, 20_000);
    const checkpoint = saved();
    const pid = await pidOf(daemon, "film");
    await daemon.kill("SIGKILL");
    process.kill(pid, "SIGKILL");
    await until("FFmpeg is gone", () => processOf(pid) === null, 5_000);
    rmSync(daemon.runtimeDir, { recursive: true, force: true });
    await daemon.start();
    await until("it publishes again", () => server.publishes("film").length === 2, 10_000);
    await server.waitForPublisher("film", 5_000);
    await daemon.cli("stop", "film", "--wait");
    const [before, after] = await until(
      "both recordings are closed",
      () => {
        const all = server.publishes("film");
        return all.length === 2 && all.every(({ endedMs }) => endedMs !== null) ? all : null;
      },
      5_000,
    );
    const [old, piece] = [
      trackPiece(ofTrack(await packetHashes(before?.file ?? ""), "video"), video),
      trackPiece(ofTrack(await packetHashes(after?.file ?? ""), "video"), video),
    ];
    t.equal(
      piece?.from,
      keyframeBefore(video, Math.round((checkpoint / 1_000) * FRAMES_A_SECOND)),
      "at the checkpoint's keyframe",
    );
    t.ok((piece?.from ?? Infinity) < (old?.to ?? 0), "and nothing is skipped");
  },
);

/**
 * Packets between the end of one piece and the beginning of the next. In a loop every place is both
 * ahead and behind: it is behind where that is no further than a run may go back, a share of the whole.
 */
const skipped = (one: Piece, two: Piece, mostBack: number): number => {
  const ahead = inOneRound(two.from - one.to, one.sourceLength);
  return ahead < one.sourceLength * (1 - mostBack) ? ahead : 0;
};

/** How far before its end a run may be followed by the next: the longest way to a keyframe, and a second. */
const furthestBack = (video: readonly Packet[]): number => {
  const keys = video.flatMap(({ key }, index) => (key ? [index] : []));
  const ways = keys.map((at, index) => (keys[index + 1] ?? video.length) - at);
  return (Math.max(...ways) + FRAMES_A_SECOND) / video.length;
};
