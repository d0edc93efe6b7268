import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Params } from "../../shared/contract/methods.ts";
import type { StreamState } from "../../shared/states.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import type { RtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** Made up. */
export const KEY = "made-up-stream-key-0000";
const PASSPHRASE = "made-up-passphrase";
export const STOP_AT = "2100-01-01T00:00:00.000Z";
/** Nobody listens there. */
const NOWHERE = "rtmp://127.0.0.1:1/live";

/** In which state each stream is left. */
export const STATES: Readonly<Record<string, StreamState>> = {
  backoff: "backoff",
  copied: "live",
  encoded: "live",
  failed: "failed",
  finished: "finished",
  new: "stopped",
  secret: "stopped",
  silent: "live",
  stopped: "stopped",
  waiting: "waiting",
};

const config = (daemon: Pick<Daemon, "dir">, ...lines: string[]): void =>
  writeFileSync(path.join(daemon.dir, "conf.yaml"), `${lines.join("\n")}\n`);

/** Starts a daemon and brings streams into every state in which a file can be found. */
export const makeScene = async (
  server: RtmpServer,
  look: (daemon: Daemon) => void = () => {},
): Promise<Daemon> => {
  const daemon = await startDaemon({
    config: "retry_limit: 1\nhardware_encoding_enabled: false\n",
  });
  try {
    await daemon.rpc("limits.set", { perUser: 50, users: { daemon: 2 } });
    await fill(daemon, server);
    look(daemon);
    // Its end leaves every wish, and when it comes back one stream finds no room.
    await daemon.rpc("limits.set", { users: { nobody: 0 } });
    await daemon.kill("SIGTERM");
    look(daemon);
    config(
      daemon,
      "retry_first_ms: 60000",
      "retry_max_ms: 3600000",
      "hardware_encoding_enabled: false",
    );
    await daemon.start();
    await daemon.rpc("stream.start", { name: "backoff" });
    for (const [name, state] of Object.entries(STATES)) await reach(daemon, name, state);
    await daemon.rpc("daemon.metrics", {});
    look(daemon);
    return daemon;
  } catch (error) {
    await daemon.end();
    throw error;
  }
};

const fill = async (daemon: Daemon, { url }: RtmpServer): Promise<void> => {
  const film = await own(daemon, "film.mp4", await renderFilm({ seconds: 6, size: "160x90" }));
  const mute = await own(
    daemon,
    "mute.mp4",
    await renderFilm({ seconds: 4, size: "160x90", audio: "none" }),
  );
  const short = await own(daemon, "short.mp4", await renderFilm({ seconds: 1, size: "160x90" }));
  const add = async (name: string, rest: Partial<Params<"stream.add">> = {}): Promise<void> =>
    void (await daemon.rpc("stream.add", { name, input: film, to: `${url}/${name}`, ...rest }));
  await add("new");
  await add("secret", { to: "srt://127.0.0.1:1?latency=200000", key: PASSPHRASE });
  await add("copied", { to: url, key: KEY });
  await add("encoded", {
    mode: "encode",
    encoding: {
      width: 128,
      height: 72,
      fps: 25,
      videoKbps: 200,
      audioKbps: 64,
      encoder: "libx264",
    },
    onResourceBreach: "restart",
  });
  await add("silent", { input: mute });
  await add("stopped");
  await add("finished", { input: short, loop: false });
  await add("failed", { to: NOWHERE, key: KEY });
  await add("backoff", { to: NOWHERE });
  await add("waiting", { owner: "nobody", mode: "copy" });
  for (const name of ["encoded", "silent", "stopped", "finished", "failed", "waiting"])
    await daemon.rpc("stream.start", { name });
  await daemon.rpc("stream.start", { name: "copied", until: STOP_AT });
  for (const name of ["copied", "encoded", "silent", "stopped", "waiting"])
    await reach(daemon, name, "live");
  await daemon.rpc("stream.stop", { name: "stopped" });
  for (const name of ["failed", "finished"] as const) await reach(daemon, name, name);
};

/** The films of a test run lie where nobody else could find them. */
const own = async (daemon: Daemon, name: string, film: string): Promise<string> => {
  const copy = path.join(daemon.dir, name);
  copyFileSync(film, copy);
  // Not every stream here is this user's.
  chmodSync(daemon.dir, 0o711);
  chmodSync(copy, 0o644);
  return copy;
};

const reach = async (daemon: Daemon, name: string, state: StreamState): Promise<void> => {
  await until(
    `${name} is ${state}`,
    async () => {
      const { streams } = await daemon.rpc("stream.status", { names: [name] });
      return streams[0]?.state === state;
    },
    30_000,
  );
};
