import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { ALL_INODES, smallDisk } from "../helpers/small-disk.ts";
import { until } from "../helpers/until.ts";

const dir = mkdtempSync(path.join(tmpdir(), "sb-"));
const state = path.join(dir, "state");
const [stateDisk, runtimeDisk] = [
  await smallDisk(state, 1_024),
  await smallDisk(path.join(dir, "run"), 1_024),
];
const skip =
  stateDisk === null || runtimeDisk === null
    ? "this user may not mount a small file system"
    : false;

/** Root may write anywhere; a daemon without that privilege is refused as any other user's. */
const unprivilegedBin = (): string => {
  const [bin, real] = [path.join(dir, "bin"), path.resolve(import.meta.dirname, "../../bin")];
  mkdirSync(bin);
  const caps = "setpriv --bounding-set=-dac_override,-dac_read_search";
  writeFileSync(
    path.join(bin, "streambrod"),
    `#!/bin/sh\nexec ${caps} '${real}/streambrod' "$@"\n`,
  );
  writeFileSync(path.join(bin, "streambro"), `#!/bin/sh\nexec '${real}/streambro' "$@"\n`);
  for (const name of ["streambrod", "streambro"]) chmodSync(path.join(bin, name), 0o755);
  return bin;
};

t.test(
  "streams outlive every way in which a disk takes nothing",
  { skip, timeout: 120_000 },
  async (t) => {
    if (stateDisk === null || runtimeDisk === null) return;
    t.teardown(async () => {
      await stateDisk.unmount();
      await runtimeDisk.unmount();
      rmSync(dir, { recursive: true });
    });
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const daemon = await startDaemon({
      dir,
      bin: unprivilegedBin(),
      env: { RETRY_MAX_MS: "1000" },
    });
    t.teardown(async () => {
      stateDisk.free();
      runtimeDisk.free();
      await daemon.end();
    });
    const source = await renderFilm({ seconds: 4 });
    for (const name of ["film", "other"])
      await daemon.cli("add", name, "--input", source, "--to", `${server.url}/${name}`, "--start");
    await daemon.cli("wait", "film", "other", "--for", "live", "--timeout", "20s");

    const statusOf = async (name: string): Promise<StreamStatus> => {
      const { streams } = await daemon.rpc("stream.status", { names: [name] });
      if (streams[0] === undefined) throw new Error(`no status of ${name}`);
      return streams[0];
    };
    const warnings = async (): Promise<string> =>
      (await daemon.rpc("daemon.status", {})).warnings.join("\n");
    const received = async (name: string): Promise<number> =>
      (await server.stats()).streams.find((one) => one.app === "live" && one.name === name)
        ?.bytesIn ?? 0;
    /** Bytes go on arriving, from the process that was there before. */
    const goesOn = async (name: string, pid: number | null, where: string): Promise<void> => {
      const before = await received(name);
      await until(
        `bytes arrive ${where}`,
        async () => (await received(name)) > before + 5_000,
        10_000,
      );
      const isLive = async (): Promise<boolean> => (await statusOf(name)).state === "live";
      await until(`it is live ${where}`, isLive, 15_000);
      t.equal((await statusOf(name)).pid, pid, where);
    };
    /** FFmpeg dies, and its successor is on the air. */
    const comesBack = async (name: string, where: string): Promise<void> => {
      const turns = server.publishes(name).length;
      process.kill((await statusOf(name)).pid ?? 0, "SIGKILL");
      await until(
        `it publishes again ${where}`,
        () => server.publishes(name).length > turns,
        15_000,
      );
      t.equal(server.mostAtOnce(name), 1);
    };
    /** Saved is nothing, lost is nothing, and the operator is told. */
    const refuses = async (why: RegExp): Promise<void> => {
      const spec = readFileSync(path.join(state, "streams/film.json"), "utf8");
      t.match(await daemon.cli("set", "film", "--no-loop"), { code: 1, stderr: why });
      t.equal(readFileSync(path.join(state, "streams/film.json"), "utf8"), spec);
      t.match(await daemon.rpc("stream.show", { name: "film" }), { spec: { loop: true } });
      const half = ["streams", "memory", "keys"].flatMap((one) =>
        readdirSync(path.join(state, one)),
      );
      t.same(
        half.filter((one) => one.endsWith(".tmp")),
        [],
      );
    };
    const saves = async (): Promise<void> => {
      await until(
        "saving works by itself",
        async () => !/not being saved/.test(await warnings()),
        15_000,
      );
      t.equal((await daemon.cli("set", "film", "--on-resource-breach", "restart")).code, 0);
      t.equal((await daemon.cli("set", "film", "--on-resource-breach", "warn")).code, 0);
      t.equal((await statusOf("film")).note, null);
    };

    t.test("the state directory is full", async (t) => {
      const { pid } = await statusOf("film");
      stateDisk.fill();
      await refuses(/disk is full/);
      await goesOn("film", pid, "on a full disk");
      await comesBack("film", "on a full disk");
      const { pid: next } = await statusOf("film");
      await daemon.restart("SIGKILL");
      await goesOn("film", next, "under a new daemon on a full disk");
      await until(
        "the operator is told",
        async () =>
          /^What happens to film.* not being saved: .*disk is full/m.test(await warnings()),
        15_000,
      );
      t.match(await statusOf("film"), { note: /^not being saved: .*disk is full/ });
      const stopped = await daemon.cli("stop", "other");
      t.match(stopped, {
        code: 1,
        stderr: /other: stopped, but the next daemon will start it again: .*full/,
      });
      stateDisk.free();
      await saves();
      await daemon.restart("SIGKILL");
      t.match(
        await statusOf("other"),
        { state: "stopped", desired: "stopped" },
        "saved when there was room",
      );
      t.match(await statusOf("film"), { state: "live", pid: next });
    });

    t.test("no file can be made", async () => {
      const { pid } = await statusOf("film");
      await stateDisk.useUpInodes();
      await refuses(/disk is full/);
      await goesOn("film", pid, "without inodes");
      await comesBack("film", "without inodes");
      await stateDisk.remount(ALL_INODES);
      await saves();
    });

    t.test("the daemon may not write there", async () => {
      const { pid } = await statusOf("film");
      for (const name of ["streams", "memory"]) chmodSync(path.join(state, name), 0o550);
      await refuses(/may not write there/);
      t.match(await daemon.cli("rm", "film"), { code: 1, stderr: /may not write there/ });
      await goesOn("film", pid, "without permission");
      for (const name of ["streams", "memory"]) chmodSync(path.join(state, name), 0o700);
      await saves();
    });

    t.test("the runtime directory is full", async (t) => {
      const { pid } = await statusOf("film");
      runtimeDisk.fill();
      const frozen = async (): Promise<number | null> =>
        (await statusOf("film")).progress?.outTimeMs ?? null;
      let before = -1;
      await until(
        "FFmpeg reports nothing any more",
        async () => {
          runtimeDisk.fill();
          const now = await frozen();
          if (now === before) return true;
          before = now ?? -1;
          await goesOn("film", pid, "while its progress has no room");
          return false;
        },
        30_000,
      );
      await daemon.restart("SIGKILL");
      await goesOn("film", pid, "under a new daemon without progress");
      process.kill(pid ?? 0, "SIGKILL");
      runtimeDisk.fill();
      const waits = await until(
        "it says why it is not on the air",
        async () => {
          runtimeDisk.fill();
          const now = await statusOf("film");
          return now.lastError?.code === "disk-full" ? now : null;
        },
        15_000,
      );
      t.match(waits, {
        desired: "running",
        state: "backoff",
        lastError: { message: /no space left/i },
      });
      runtimeDisk.free();
      await until(
        "it is live by itself",
        async () => (await statusOf("film")).state === "live",
        20_000,
      );
      t.equal(server.mostAtOnce("film"), 1);
    });

    t.test("a daemon that starts on a read-only state directory", async (t) => {
      await daemon.rpc("daemon.stop", { keepStreams: false });
      await until("it has ended", () => !daemon.running(), 20_000);
      await stateDisk.remount("ro");
      await daemon.start();
      await until(
        "the stream is on the air",
        async () => (await statusOf("film")).state === "live",
        20_000,
      );
      await refuses(/read-only/);
      t.match(await daemon.cli("rm", "film"), { code: 1, stderr: /read-only/ });
      await goesOn("film", (await statusOf("film")).pid, "after a removal that was refused");
      t.match(await warnings(), /film.*not being saved: .*read-only/);
      await comesBack("film", "on a read-only disk");
      await stateDisk.remount("rw");
      await saves();
    });
  },
);
