import path from "node:path";
import type { Clock } from "../clock/clock.ts";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import { rotateWhenLonger } from "../logs/log-file.ts";
import { PRESET } from "../runner/run-directory.ts";
import type { StreamPlaces } from "../store/layout.ts";
import { removeOldLogs } from "./old-logs.ts";
import { type Freed, NOTHING, removeTree, sum } from "./remove-tree.ts";

export type CleanupPorts = {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly places: (streamId: string) => StreamPlaces;
  /** Forgets what was counted of a stream's failures; how many there were. */
  readonly forgetRetries: (streamId: string) => number;
  /** Forgets what was noted in memory about its log and its input. */
  readonly forgetNotes: (streamId: string) => void;
  /** Removes what belongs to no stream; how many files and directories. */
  readonly removeOrphans: (activeStreamIds: ReadonlySet<string>) => number;
  /** Every cleanup, for the metrics. */
  readonly onCleanup: (succeeded: boolean, bytes: number) => void;
};

/**
 * Clears away what a stream leaves when it comes to rest. What it removes is gone when a method returns,
 * before anything awaits: a start that follows at once must not lose its own new files.
 */
export class CleanupManager {
  readonly #ports: CleanupPorts;

  constructor(ports: CleanupPorts) {
    this.#ports = ports;
  }

  /** Its log stays readable, within its bound; what was noted in memory about it goes. */
  cleanupLogs(streamId: string): void {
    this.#ports.forgetNotes(streamId);
    this.#boundLog(streamId);
  }

  cleanupRetryCount(streamId: string): void {
    this.#ports.forgetRetries(streamId);
  }

  /** The run directory: playlist, link to the input, and the file that holds the stream key. */
  async cleanupTempFiles(streamId: string): Promise<void> {
    this.#attempt(streamId, () => this.#removeRun(streamId));
  }

  /**
   * What belongs to none of these streams and to no process: run directories, playlists, keys, logs.
   * Answers how many were removed.
   */
  async cleanupOrphanedFiles(activeStreamIds: readonly string[]): Promise<number> {
    const { log, settings, removeOrphans, onCleanup } = this.#ports;
    if (!settings().CLEANUP_ENABLED) return 0;
    try {
      const removed = removeOrphans(new Set(activeStreamIds));
      const sentence = `removed ${removed} files and directories of streams that are no more`;
      if (removed === 0) return 0;
      log.info({ event: "remains", files: removed }, sentence);
      onCleanup(true, 0);
      return removed;
    } catch (error) {
      const sentence = `Failed to cleanup what belongs to no stream: ${messageOf(error)}`;
      log.error({ event: "CLEANUP_FAILED", error }, sentence);
      onCleanup(false, 0);
      return 0;
    }
  }

  /** All of one stream. Never fatal: what cannot be removed is logged as CLEANUP_FAILED. */
  async fullCleanup(streamId: string): Promise<void> {
    this.#ports.forgetNotes(streamId);
    // The key first: whatever else fails, it goes.
    this.#attempt(streamId, () => {
      const freed = this.#removeRun(streamId);
      return { ...freed, retries: this.#ports.forgetRetries(streamId) };
    });
    this.#attempt(streamId, () => {
      this.#boundLog(streamId);
      return NOTHING;
    });
  }

  /** Logs of streams that do not run, once they are older than LOG_KEEP_MS. */
  async cleanupOldLogs(restingStreamIds: readonly string[]): Promise<void> {
    const { places, clock, settings } = this.#ports;
    const before = clock.now() - settings().LOG_KEEP_MS;
    for (const streamId of restingStreamIds)
      this.#attempt(streamId, () => removeOldLogs(places(streamId).log, before));
  }

  /** Says and counts what could not be removed, in the design document's words; nothing ends by it. */
  cleanupFailed(streamId: string, why: string, error?: unknown): void {
    const sentence = `Failed to cleanup resources for stream ${streamId}: ${why}`;
    this.#ports.log.error({ event: "CLEANUP_FAILED", stream: streamId, error }, sentence);
    this.#ports.onCleanup(false, 0);
  }

  #boundLog(streamId: string): void {
    const { settings, places } = this.#ports;
    rotateWhenLonger(places(streamId).log, settings().LOG_MAX_BYTES);
  }

  #removeRun(streamId: string): Freed {
    const { run } = this.#ports.places(streamId);
    const key = removeTree(path.join(run, PRESET));
    return sum(key, removeTree(run));
  }

  #attempt(streamId: string, work: () => Freed & { readonly retries?: number }): void {
    const { log, settings, onCleanup } = this.#ports;
    if (!settings().CLEANUP_ENABLED) return;
    try {
      const freed = work();
      if (freed.files === 0 && (freed.retries ?? 0) === 0) return;
      const { files, bytes } = sum(NOTHING, freed);
      const sentence = `${streamId}: cleaned up, ${files} files, ${bytes} bytes freed`;
      log.info({ event: "cleanup", stream: streamId, ...freed }, sentence);
      onCleanup(true, bytes);
    } catch (error) {
      this.cleanupFailed(streamId, messageOf(error), error);
    }
  }
}
