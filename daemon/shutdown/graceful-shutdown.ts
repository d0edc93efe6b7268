import type { Log } from "../log/log.ts";

/** The streams, as an end of the daemon sees them. */
export type StreamingService = {
  /** From now on nothing is started, and no command that changes something is taken. */
  refuseCommands(): void;
  /** Asks every process to end, all at once, each with its own escalation; how many there are. */
  stopAll(): number;
  /** KILL to whatever is still there. */
  killAll(): void;
  /** Resolves when no process is left. */
  ended(): Promise<void>;
};

export type SchedulerService = {
  /** Nothing happens by itself any more; how many entries there were. */
  clearAll(): number;
};

export type ShutdownPorts = {
  readonly log: Log;
  readonly signals: Pick<NodeJS.EventEmitter, "on">;
  /** Whether a SIGTERM is the first half of a restart; must not reject. */
  readonly isRestart?: () => Promise<boolean>;
  /**
   * Saves what is still in memory, metrics first, and gives back what only one daemon can have; `asked`
   * is the signal or the command it came to that by.
   */
  readonly finish: (asked: string) => Promise<void>;
};

/** What an end that has begun does with the streams. */
type End = "stop" | "leave";

/**
 * The end of the daemon, step by step, each logged. Streams that run now run again after the next
 * start: that the daemon ends says nothing about what is wanted of them.
 */
export class GracefulShutdown {
  readonly #streaming: StreamingService;
  readonly #scheduler: SchedulerService;
  readonly #ports: ShutdownPorts;
  #end: End | null = null;
  #isAsking = false;
  #done: Promise<void> = Promise.resolve();

  constructor(
    streamingService: StreamingService,
    schedulerService: SchedulerService,
    ports: ShutdownPorts,
  ) {
    this.#streaming = streamingService;
    this.#scheduler = schedulerService;
    this.#ports = ports;
  }

  /**
   * SIGTERM and SIGINT end the daemon with its streams; a second one does not wait for any of them.
   * SIGUSR2, and a SIGTERM that is part of a restart, end it and leave them on the air.
   */
  registerHandlers(): void {
    for (const signal of ["SIGTERM", "SIGINT", "SIGUSR2"] as const)
      this.#ports.signals.on(signal, () => void this.heed(signal));
  }

  /** What one of these signals leads to. */
  async heed(signal: NodeJS.Signals): Promise<void> {
    if (signal === "SIGUSR2") return this.leave(signal);
    const { isRestart } = this.#ports;
    // A second one does not wait for what the first one asks.
    if (signal === "SIGTERM" && isRestart !== undefined && this.#end === null && !this.#isAsking) {
      this.#isAsking = true;
      if (await isRestart()) return this.leave(`${signal} for a restart`);
      // Whatever came meanwhile was the second one, and has begun it.
      if (this.#end !== null) return this.#done;
    }
    return this.shutdown(signal);
  }

  /** `signal` is what asked for it. Asked again, it hurries; resolves when all is over. */
  shutdown(signal: string): Promise<void> {
    if (this.#end === null) {
      this.#end = "stop";
      this.#done = this.#shutDown(signal);
    } else if (this.#end === "stop") this.#hurry(signal);
    else this.#say("shutdown", { signal }, `${signal}: ending already; the streams go on`);
    return this.#done;
  }

  /** Ends the daemon and leaves the streams on the air, whatever signal comes meanwhile. */
  leave(asked = "daemon stop --keep-streams"): Promise<void> {
    if (this.#end !== null) return this.#done;
    this.#end = "leave";
    this.#streaming.refuseCommands();
    this.#say("leaving", { asked }, `${asked}: ending; the streams go on`);
    this.#scheduler.clearAll();
    this.#done = this.#ports.finish(asked);
    return this.#done;
  }

  async #shutDown(signal: string): Promise<void> {
    const { finish } = this.#ports;
    this.#streaming.refuseCommands();
    this.#say("shutdown", { signal }, `${signal}: shutting down; no new commands are taken`);
    const scheduled = this.#scheduler.clearAll();
    this.#say("schedules-cleared", { scheduled }, `${scheduled} schedules cleared`);
    const streams = this.#streaming.stopAll();
    this.#say("stopping", { streams }, `stopping ${streams} streams`);
    await this.#streaming.ended();
    this.#say("streams-stopped", { streams }, `${streams} streams stopped`);
    await finish(signal);
  }

  #hurry(signal: string): void {
    this.#ports.log.warn({ event: "hurry", signal }, `${signal} again: killing what still runs`);
    this.#streaming.killAll();
  }

  #say(event: string, fields: object, sentence: string): void {
    this.#ports.log.info({ event, ...fields }, sentence);
  }
}
