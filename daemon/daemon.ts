import { messageOf } from "./log/message-of.ts";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { type Assembled, assemble } from "./assembly.ts";
import { PROTOCOL } from "../shared/protocol.ts";
import { NO_INIT, unmakeable } from "./complaints.ts";
import type { Directories } from "../shared/paths.ts";
import { instant } from "./clock/clock.ts";
import { every } from "./clock/every.ts";
import { allHandlers } from "./commands/all.ts";
import type { Daemon as AboutDaemon } from "./commands/handlers.ts";
import { type Owners, cannotAsk } from "./commands/owner.ts";
import type { LiveSettings } from "./config/live.ts";
import { InstalledFfmpeg } from "./ffmpeg/installed.ts";
import type { Log } from "./log/log.ts";
import { startUp } from "./registry/start-up.ts";
import { shownStates } from "./registry/statuses.ts";
import { keepPlaces } from "./keep-places.ts";
import { type Listener, listen } from "./rpc/listen.ts";
import { askTheKernel } from "./rpc/peer-credentials.ts";
import { type Answerer, answerer } from "./rpc/server.ts";
import { GracefulShutdown } from "./shutdown/graceful-shutdown.ts";
import { streamsToEnd } from "./shutdown/streams.ts";
import { tidyUp } from "./registry/tidy-up.ts";
import { placesOf } from "./store/layout.ts";
import { type RunsClaim, claimRuns } from "./store/runs-claim.ts";
import { type StateLock, takeStateLock } from "./store/state-lock.ts";
import { Store } from "./store/store.ts";
import type { SystemdService } from "./systemd/service.ts";
import { startSweep } from "./health/sweep.ts";
import { Users } from "./users/users.ts";

export type Options = {
  readonly directories: Directories;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly version: string;
  /** Path of runner.sh. */
  readonly runner: string;
  /** Where FFmpeg is looked for: PATH. */
  readonly searchPath: string;
  /** What a service manager is told and has found out; null where there is none. */
  readonly service: Pick<
    SystemdService,
    "ready" | "stopping" | "warnings" | "isBeingRestarted"
  > | null;
  /** Where SIGTERM and SIGINT come from. */
  readonly signals: Pick<NodeJS.EventEmitter, "on">;
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
  /** Ends the daemon, and every stream with it. */
  readonly shutdown: GracefulShutdown;
  /** Resolves when the daemon has ended, by whatever way it was asked to. */
  readonly ended: Promise<void>;
  readonly #log: Log;
  readonly #parts: Assembled;
  readonly #held: Held;
  readonly #sweep: { stop(): void };
  readonly #tidying: { stop(): void };
  readonly #places: { stop(): void };
  #startedAt = Date.now();
  readonly #warnings: string[];
  readonly #ffmpeg: InstalledFfmpeg;
  #stopping = false;
  readonly #ending = new AbortController();
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
    const asking = await askTheKernel();
    const { promise: answering, resolve: answerWith } = Promise.withResolvers<Answerer>();
    const listening = await listen(
      directories.socket,
      async (line, caller) => (await answering)(line, caller),
      (error) => options.log.error({ event: "socket", error }, `socket: ${messageOf(error)}`),
      asking.peerOf,
    );
    if (!listening.ok) {
      claim.release();
      lock.release();
      return listening;
    }
    const daemon = new Daemon(options, store, { lock, claim, listener: listening.listener });
    const owners = { users: new Users(), uid: process.geteuid?.() ?? 0 };
    if (asking.whyNot !== null) daemon.#warn(await cannotAsk(asking.whyNot, owners));
    answerWith(daemon.#answerer(options, store, owners));
    const { log, version } = options;
    const fields = { event: "ready", socket: directories.socket, pid: process.pid };
    log.info(fields, `streambrod ${version} answers at ${directories.socket}`);
    options.service?.ready({
      ...{ socket: directories.socket, stateDirectory: directories.state },
      states: () => shownStates(daemon.#parts.registry),
      warnings: () => daemon.#everyWarning(options),
      stopping: () => daemon.#stopping,
    });
    return { ok: true, daemon };
  }

  private constructor(options: Options, store: Store, held: Held) {
    const { settings, log } = options;
    this.#log = log;
    this.#held = held;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const parts = assemble({
      ...{ store, log, settings, runner: options.runner, version: options.version },
      searchPath: options.searchPath,
      draining: () => this.#stopping,
      ending: this.#ending.signal,
    });
    this.#parts = parts;
    parts.clock.onStep((stepMs) => {
      this.#startedAt += stepMs;
    });
    const { registry, monitor, limits, metering, schedule, cleanup, upkeep, encoders } = parts;
    this.#ffmpeg = new InstalledFfmpeg(settings, log);
    monitor.start();
    metering.start();
    parts.history.remember.began(options.version, process.pid);
    this.#warnings = startUp(store, registry, cleanup, parts.clock, log);
    if (limits.complaint !== null) this.#warn(limits.complaint);
    this.#sweep = startSweep({
      registry,
      ...{ clock: parts.clock, monotonic: () => performance.now(), log },
      upkeep: (stream, isCheckpoint) => {
        upkeep.look(stream, placesOf(store.layout, stream.spec.name));
        if (isCheckpoint) upkeep.checkpoint(stream);
      },
    });
    const tidy = (): void => tidyUp(registry, cleanup);
    this.#tidying = every(TIDY_MS, tidy);
    this.#places = keepPlaces(options.directories.socket, held.listener, held.claim, log);
    this.shutdown = new GracefulShutdown(
      streamsToEnd(registry, this.#ending, () => {
        this.#stopping = true;
        options.service?.stopping();
        encoders.stop();
      }),
      schedule,
      {
        ...{ log, signals: options.signals, finish: (asked) => this.#finish(asked) },
        isRestart: async () => (await options.service?.isBeingRestarted()) === true,
      },
    );
    if (process.pid === 1) this.#warn(NO_INIT);
    settings.onChange((now, before) => {
      if (now.CLEANUP_ENABLED && !before.CLEANUP_ENABLED) tidy();
    });
    encoders.detectEncoders().catch((error: unknown) => {
      log.warn({ event: "encoders", error }, `encoders: not tried: ${messageOf(error)}`);
    });
  }

  async #finish(asked: string): Promise<void> {
    const { registry, monitor, metering, history } = this.#parts;
    this.#sweep.stop();
    this.#tidying.stop();
    monitor.stop();
    await Promise.all(registry.sorted().map((stream) => stream.supervisor.remember()));
    await Promise.all(registry.sorted().map((stream) => stream.settled()));
    for (const stream of registry.sorted()) stream.supervisor.release();
    this.#places.stop();
    await metering.close();
    this.#log.info({ event: "metrics-flushed" }, "metrics flushed");
    history.end(asked);
    await this.#held.listener.close();
    this.#held.claim.release();
    this.#held.lock.release();
    this.#log.info({ event: "ended" }, "ended");
    this.#resolveEnded();
  }

  #answerer(options: Options, store: Store, owners: Owners): Answerer {
    const { directories, version, log, settings } = options;
    const about: AboutDaemon["about"] = () => ({
      version,
      protocol: PROTOCOL,
      pid: process.pid,
      startedAt: instant(this.#startedAt),
      socket: directories.socket,
      stateDir: directories.state,
      runtimeDir: directories.runtime,
      ffmpeg: this.#ffmpeg.version,
      warnings: this.#everyWarning(options),
    });
    const stop = (keepStreams: boolean): void => {
      setImmediate(
        () => void (keepStreams ? this.shutdown.leave() : this.shutdown.shutdown("daemon stop")),
      );
    };
    const port = { version, about, stop, stopping: () => this.#stopping };
    const all = allHandlers({ daemon: port, parts: this.#parts, store, settings, owners, log });
    return answerer(all, version, log);
  }

  #everyWarning({ service }: Options): string[] {
    const { metering, registry, history } = this.#parts;
    const parts = [this.#ffmpeg, service, metering, registry, history.history];
    return [this.#warnings, ...parts.map((part) => part?.warnings ?? [])].flat();
  }

  #warn(sentence: string): void {
    this.#warnings.push(sentence);
    this.#log.warn({ event: "start-up" }, sentence);
  }
}

/** How often what could not be cleared away is tried again, and old logs go. */
const TIDY_MS = 600_000;
