import { messageOf } from "./log/message-of.ts";
import { userInfo } from "node:os";
import { performance } from "node:perf_hooks";
import { PROTOCOL } from "../shared/protocol.ts";
import type { Directories } from "../shared/paths.ts";
import { systemClock } from "./clock/clock.ts";
import { handlers } from "./commands/handlers.ts";
import type { Settings } from "./config/settings.ts";
import { ffmpegVersion } from "./ffmpeg/version.ts";
import { type Log } from "./log/log.ts";
import { Registry } from "./registry/registry.ts";
import { startUp } from "./registry/start-up.ts";
import { type Listener, listen } from "./rpc/listen.ts";
import { answerer } from "./rpc/server.ts";
import { launcher } from "./runner/launch.ts";
import { stopStreams } from "./shutdown/end.ts";
import { placesOf } from "./store/layout.ts";
import { type StateLock, takeStateLock } from "./store/state-lock.ts";
import { Store } from "./store/store.ts";
import { startSweep } from "./health/sweep.ts";
import { keepUp } from "./supervisor/upkeep.ts";

export type Options = {
  readonly directories: Directories;
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  /** Path of runner.sh. */
  readonly runner: string;
};

export type Started =
  | { readonly ok: true; readonly daemon: Daemon }
  | { readonly ok: false; readonly message: string };

/** The composition root: puts the parts together, starts them in order and ends them in reverse. */
export class Daemon {
  /** Resolves when the daemon has ended, by whatever way it was asked to. */
  readonly ended: Promise<void>;
  readonly #log: Log;
  readonly #registry: Registry;
  readonly #lock: Extract<StateLock, { ok: true }>;
  readonly #sweep: { stop(): void };
  readonly #startedAt = new Date().toISOString();
  #listener: Listener | null = null;
  #stopping = false;
  #resolveEnded: () => void = () => {};

  /** Takes the state directory, adopts what runs, starts what should run, then answers on the socket. */
  static async start(options: Options): Promise<Started> {
    const { directories } = options;
    let store: Store;
    try {
      store = new Store(directories.state, directories.runtime);
    } catch (error) {
      const why = messageOf(error);
      return {
        ok: false,
        message: `The daemon's directories cannot be made: ${why}. Set STREAMBRO_STATE_DIR and STREAMBRO_RUNTIME_DIR, or mend their owner.`,
      };
    }
    const lock = takeStateLock(store.layout.daemonLock, process.pid);
    if (!lock.ok) {
      return {
        ok: false,
        message: `Another streambrod (pid ${lock.holder}) has the state directory ${directories.state}. Stop it first: streambro daemon stop`,
      };
    }
    const daemon = new Daemon(options, store, lock);
    const listening = await daemon.#listen(options, store);
    if (listening === null) return { ok: true, daemon };
    await daemon.end("keep");
    return { ok: false, message: listening };
  }

  private constructor(options: Options, store: Store, lock: Extract<StateLock, { ok: true }>) {
    const { settings, log } = options;
    this.#log = log;
    this.#lock = lock;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const monotonic = (): number => performance.now();
    this.#registry = new Registry(
      store,
      {
        settings,
        tools: { ffmpeg: settings.FFMPEG_PATH, ffprobe: settings.FFPROBE_PATH },
        launch: launcher(options.runner),
        clock: systemClock,
        monotonic,
        random: Math.random,
      },
      log,
    );
    this.#warnings = startUp(store, this.#registry, log);
    this.#sweep = startSweep({
      registry: this.#registry,
      clock: systemClock,
      monotonic,
      upkeep: (stream, isCheckpoint) =>
        keepUp(
          stream,
          placesOf(store.layout, stream.spec.name),
          settings.LOG_MAX_BYTES,
          log,
          isCheckpoint,
        ),
    });
    void this.#findFfmpeg(settings.FFMPEG_PATH);
  }

  #warnings: string[];
  #ffmpeg: string | null = null;

  /** Ends the daemon: `stop` ends the streams first, `keep` leaves them on the air for the next daemon. */
  async end(streams: "stop" | "keep"): Promise<void> {
    if (this.#stopping) return this.ended;
    this.#stopping = true;
    if (streams === "stop") await stopStreams(this.#registry, this.#log);
    this.#sweep.stop();
    await Promise.all(this.#registry.sorted().map((stream) => stream.supervisor.remember()));
    for (const stream of this.#registry.sorted()) stream.supervisor.release();
    await this.#listener?.close();
    this.#lock.release();
    this.#log.info(
      { event: "ended", streams },
      streams === "stop" ? "ended" : "ended; the streams go on",
    );
    this.#resolveEnded();
  }

  async #listen(
    { directories, version, log, settings }: Options,
    store: Store,
  ): Promise<string | null> {
    const tools = { ffmpeg: settings.FFMPEG_PATH, ffprobe: settings.FFPROBE_PATH };
    const about = (): ReturnType<Parameters<typeof handlers>[0]["about"]> => ({
      version,
      protocol: PROTOCOL,
      pid: process.pid,
      startedAt: this.#startedAt,
      socket: directories.socket,
      stateDir: directories.state,
      runtimeDir: directories.runtime,
      ffmpeg: this.#ffmpeg,
      warnings: this.#warnings,
    });
    const stop = (keepStreams: boolean): void =>
      void setImmediate(() => void this.end(keepStreams ? "keep" : "stop"));
    const port = { version, about, stop, stopping: () => this.#stopping };
    const editing = { registry: this.#registry, store, tools, owner: userInfo().username };
    const listening = await listen(
      directories.socket,
      answerer(handlers(port, editing), version, log),
    );
    if (!listening.ok) return listening.message;
    this.#listener = listening.listener;
    log.info(
      { event: "ready", socket: directories.socket, pid: process.pid },
      `streambrod ${version} answers at ${directories.socket}`,
    );
    return null;
  }

  async #findFfmpeg(command: string): Promise<void> {
    this.#ffmpeg = await ffmpegVersion(command);
    if (this.#ffmpeg !== null) return;
    const warning = `${command} cannot be run: install ffmpeg, or set FFMPEG_PATH. No stream can start until then.`;
    this.#warnings.push(warning);
    this.#log.error({ event: "start-up" }, warning);
  }
}
