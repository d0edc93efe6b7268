import type { StreamState } from "../../shared/states.ts";
import type { LiveSettings } from "../config/live.ts";
import type { Log } from "../log/log.ts";
import { askItself } from "./ask-itself.ts";
import { DiskLook } from "./disk-look.ts";
import type { Notifier } from "./notify.ts";
import { statusLine } from "./status-line.ts";

/** How often the status line may change, and how often the disk is tried. */
const STATUS_MS = 1_000;
const DISK_MS = 30_000;
/** While streams end, systemd is asked for as much more time again and again. */
const EXTEND_MS = 20_000;

/** The daemon, once it answers. */
export type Served = {
  readonly socket: string;
  readonly stateDirectory: string;
  /** Of every stream, as people see them. */
  states(): readonly StreamState[];
  /** Sentences for the operator. */
  warnings(): readonly string[];
  readonly stopping: () => boolean;
};

type Surroundings = {
  readonly notifier: Notifier;
  readonly log: Log;
  readonly settings: Pick<LiveSettings, "onReload">;
  readonly monotonic: () => number;
  /** A durable write that leaves nothing. */
  readonly tryDisk: (directory: string) => Promise<void>;
  readonly isRestart: () => Promise<boolean>;
};

/** What systemd is told of this daemon, for as long as it lives. */
export class SystemdService {
  readonly #around: Surroundings;
  #disk: DiskLook | null = null;
  #said = "";
  #isReady = false;
  #isFailing = false;
  #trouble: string | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
    around.settings.onReload((phase) => {
      // What is told before READY would be taken for it.
      if (!this.#isReady) return;
      const now = Number(process.hrtime.bigint() / 1_000n);
      if (phase === "begun") this.#notify({ RELOADING: 1, MONOTONIC_USEC: now });
      else this.#notify({ READY: 1 });
    });
  }

  /** Sentences for the operator. */
  get warnings(): string[] {
    const trouble = this.#disk?.trouble() ?? null;
    return trouble === null ? [] : [trouble.sentence];
  }

  /** The socket answers, and what ran is taken over. From now on it looks at itself. */
  ready(served: Served): void {
    const { monotonic, tryDisk, notifier } = this.#around;
    this.#disk = new DiskLook(served.stateDirectory, tryDisk, monotonic);
    this.#tell(served);
    setInterval(() => this.#tell(served), STATUS_MS).unref();
    this.#disk.begin();
    setInterval(() => this.#disk?.begin(), DISK_MS).unref();
    if (notifier.watchdogMs === null) return;
    // Two looks may fail, or be late, before the third one's time is over.
    const everyMs = Math.max(100, notifier.watchdogMs / 3);
    void this.#lookAtItself(served, everyMs);
  }

  /** Whether this daemon's end is the first half of a restart; never rejects. */
  isBeingRestarted(): Promise<boolean> {
    return this.#around.isRestart();
  }

  /** The daemon has begun to end. */
  stopping(): void {
    this.#notify({ STOPPING: 1, STATUS: "ending", EXTEND_TIMEOUT_USEC: EXTEND_MS * 1_000 });
  }

  #tell(served: Served): void {
    const trouble = this.#disk?.trouble() ?? null;
    this.#note(trouble?.sentence ?? null);
    const states = served.states();
    const line = statusLine(states, served.warnings().length, trouble?.brief ?? null);
    if (served.stopping()) {
      const STATUS = `ending: ${line}`;
      this.#notify({ STATUS, WATCHDOG: 1, EXTEND_TIMEOUT_USEC: EXTEND_MS * 1_000 });
    } else if (!this.#isReady) this.#isReady = this.#notify({ READY: 1, STATUS: line });
    else if (line !== this.#said && this.#notify({ STATUS: line })) this.#said = line;
  }

  /** Logs what is wrong with the disk when that changes. */
  #note(trouble: string | null): void {
    const { log } = this.#around;
    if (trouble === this.#trouble) return;
    if (trouble !== null) log.error({ event: "storage" }, trouble);
    else log.info({ event: "storage" }, "the disk takes what must survive again");
    this.#trouble = trouble;
  }

  /** Feeds the watchdog where a request was answered. The event loop is looked at by running on it. */
  async #lookAtItself(served: Served, everyMs: number): Promise<void> {
    const next = (): void => void this.#lookAtItself(served, everyMs);
    const why = await askItself(served.socket, everyMs);
    setTimeout(next, everyMs).unref();
    const isNews = this.#isFailing !== (why !== null);
    this.#isFailing = why !== null;
    if (why === null) this.#notify({ WATCHDOG: 1 });
    if (!isNews || served.stopping()) return;
    const { log } = this.#around;
    if (why === null) log.info({ event: "self-check" }, "self-check: it answers itself again");
    else log.error({ event: "self-check", why }, `self-check: ${served.socket}: ${why}`);
  }

  #notify(notice: Parameters<Notifier["notify"]>[0]): boolean {
    return this.#around.notifier.notify(notice);
  }
}
