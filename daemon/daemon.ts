import { messageOf } from "./log/message-of.ts";
import { userInfo } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { PROTOCOL } from "../shared/protocol.ts";
import type { Directories } from "../shared/paths.ts";
import { systemClock } from "./clock/clock.ts";
import { commandLineHandlers } from "./commands/command-line.ts";
import { configurationHandlers } from "./commands/configuration.ts";
import { encoderHandlers } from "./commands/encoders.ts";
import { limitHandlers } from "./commands/limits.ts";
import { metricHandlers } from "./commands/metrics.ts";
import { handlers } from "./commands/handlers.ts";
import type { Settings } from "./config/settings.ts";
import type { EncoderSource } from "./encoders/choice.ts";
import { ffmpegVersion } from "./ffmpeg/version.ts";
import type { Log } from "./log/log.ts";
import { Registry } from "./registry/registry.ts";
import { startUp } from "./registry/start-up.ts";
import { keepPlaces } from "./keep-places.ts";
import { type Listener, listen } from "./rpc/listen.ts";
import { type Answerer, answerer } from "./rpc/server.ts";
import { launcher } from "./runner/launch.ts";
import { stopStreams } from "./shutdown/end.ts";
import { placesOf } from "./store/layout.ts";
import { type RunsClaim, claimRuns } from "./store/runs-claim.ts";
import { type StateLock, takeStateLock } from "./store/state-lock.ts";
import { Store } from "./store/store.ts";
import { ResourceMonitor } from "./health/resource-monitor.ts";
import { startSweep } from "./health/sweep.ts";
import type { Tools } from "./supervisor/examine.ts";
import { Upkeep } from "./supervisor/upkeep.ts";

export type Options = {
  readonly directories: Directories;
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  /** Path of runner.sh. */
  readonly runner: string;
};

/** What only one daemon can have at a time. */
type Held = {
  readonly lock: Extract<StateLock, { ok: true }>;
  readonly claim: RunsClaim;
  readonly listener: Listener;
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
  readonly #held: Held;
  readonly #encoders: EncoderSource = SOFTWARE;
  readonly #monitor: ResourceMonitor;
  readonly #sweep: { stop(): void };
  readonly #places: { stop(): void };
  readonly #startedAt = new Date().toISOString();
  readonly #warnings: string[];
  #ffmpeg: string | null = null;
  #stopping = false;
  #resolveEnded: () => void = () => {};

  /**
   * Takes the state directory, the runtime directory and the socket, adopts what runs, starts what
   * should run, then answers. Where one is taken nothing is touched, and the message says by whom.
   */
  static async start(options: Options): Promise<Started> {
    const { directories } = options;
    let store: Store;
    try {
      store = new Store(directories.state, directories.runtime);
    } catch (error) {
      return { ok: false, message: unmakeable(error) };
    }
    const lock = takeStateLock(store.layout.daemonLock, process.pid);
    if (!lock.ok) return lock;
    const claimed = claimRuns(store.layout.runs, path.dirname(store.layout.daemonLock));
    if (!claimed.ok) {
      lock.release();
      return claimed;
    }
    const { claim } = claimed;
    const { promise: answering, resolve: answerWith } = Promise.withResolvers<Answerer>();
    const listening = await listen(
      directories.socket,
      async (line, caller) => (await answering)(line, caller),
      (error) => options.log.error({ event: "socket", error }, `socket: ${messageOf(error)}`),
    );
    if (!listening.ok) {
      claim.release();
      lock.release();
      return listening;
    }
    const daemon = new Daemon(options, store, { lock, claim, listener: listening.listener });
    answerWith(daemon.#answerer(options, store));
    const { log, version } = options;
    const fields = { event: "ready", socket: directories.socket, pid: process.pid };
    log.info(fields, `streambrod ${version} answers at ${directories.socket}`);
    return { ok: true, daemon };
  }

  private constructor(options: Options, store: Store, held: Held) {
    const { settings, log } = options;
    this.#log = log;
    this.#held = held;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const monotonic = (): number => performance.now();
    const launch = launcher(options.runner);
    const clock = systemClock;
    this.#monitor = new ResourceMonitor(settings.RESOURCE_MONITOR_INTERVAL_MS, clock);
    this.#monitor.start();
    const tools = toolsOf(settings);
    const encoders = this.#encoders;
    const surroundings = { settings: () => settings, tools, encoders, launch, clock, monotonic };
    this.#registry = new Registry(
      store,
      { ...surroundings, random: Math.random, draining: () => this.#stopping },
      this.#monitor,
      log,
    );
    this.#warnings = startUp(store, this.#registry, log);
    const upkeep = new Upkeep(log, settings.LOG_MAX_BYTES, { tools, encoders });
    this.#sweep = startSweep({
      registry: this.#registry,
      ...{ clock, monotonic, log },
      upkeep: (stream, isCheckpoint) => {
        upkeep.look(stream, placesOf(store.layout, stream.spec.name));
        if (isCheckpoint) upkeep.checkpoint(stream);
      },
    });
    this.#places = keepPlaces(options.directories.socket, held.listener, held.claim, log);
    if (process.pid === 1) this.#warn(NO_INIT);
    void this.#findFfmpeg(settings.FFMPEG_PATH);
  }

  /** Ends the daemon: `stop` ends the streams first, `keep` leaves them on the air for the next one. */
  async end(streams: "stop" | "keep"): Promise<void> {
    if (this.#stopping) return this.ended;
    this.#stopping = true;
    if (streams === "stop") await stopStreams(this.#registry, this.#log);
    this.#sweep.stop();
    this.#monitor.stop();
    await Promise.all(this.#registry.sorted().map((stream) => stream.supervisor.remember()));
    for (const stream of this.#registry.sorted()) stream.supervisor.release();
    this.#places.stop();
    await this.#held.listener.close();
    this.#held.claim.release();
    this.#held.lock.release();
    const how = streams === "stop" ? "ended" : "ended; the streams go on";
    this.#log.info({ event: "ended", streams }, how);
    this.#resolveEnded();
  }

  #answerer({ directories, version, log, settings }: Options, store: Store): Answerer {
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
    const stop = (keepStreams: boolean): void => {
      setImmediate(() => void this.end(keepStreams ? "keep" : "stop"));
    };
    const port = { version, about, stop, stopping: () => this.#stopping };
    const registry = this.#registry;
    const means = { tools: toolsOf(settings), encoders: this.#encoders };
    const editing = { registry, store, ...means, owner: userInfo().username };
    const rooms = {
      ...limitHandlers(),
      ...encoderHandlers(),
      ...metricHandlers(),
      ...configurationHandlers(),
      ...commandLineHandlers({ registry, layout: store.layout, ...means }),
    };
    return answerer(handlers(port, editing, rooms), version, log);
  }

  async #findFfmpeg(command: string): Promise<void> {
    this.#ffmpeg = await ffmpegVersion(command);
    if (this.#ffmpeg !== null) return;
    this.#warn(
      `${command} cannot be run: install ffmpeg, or set FFMPEG_PATH. No stream can start until then.`,
    );
  }

  #warn(sentence: string): void {
    this.#warnings.push(sentence);
    this.#log.warn({ event: "start-up" }, sentence);
  }
}

/** Until hardware is looked for. */
const SOFTWARE: EncoderSource = {
  choose: async (asked) =>
    asked === null || asked === "libx264"
      ? {
          ok: true,
          encoder: { name: "libx264", kind: "software", device: null, preset: "veryfast" },
        }
      : { ok: false, message: `the encoder ${asked} does not work here` },
};

const NO_INIT =
  "streambrod is process 1 and does not reap what others leave: give it an init (docker run --init), or dead processes pile up.";

const toolsOf = (settings: Settings): Tools => ({
  ffmpeg: settings.FFMPEG_PATH,
  ffprobe: settings.FFPROBE_PATH,
});

const unmakeable = (error: unknown): string =>
  `The daemon's directories cannot be made: ${messageOf(error)}. Mend their owner, or set STREAMBRO_STATE_DIR and STREAMBRO_RUNTIME_DIR.`;
