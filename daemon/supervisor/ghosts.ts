import type { Failure } from "../ffmpeg/failure.ts";
import type { Evidence } from "../health/evidence.ts";
import { resetGhosts } from "../health/ghosts.ts";
import type { Ends } from "../health/sockets.ts";
import type { Log } from "../log/log.ts";

/** So many lost connections of one stream are kept in mind. */
const MOST = 4;

/** A stream's connections that were lost, and that the receiver may still take for a publisher. */
export class Ghosts {
  #lost: readonly Ends[] = [];
  readonly #log: Log;
  readonly #name: string;

  constructor(log: Log, name: string) {
    this.#log = log;
    this.#name = name;
  }

  /**
   * Takes note of a run's end. Where the receiver says that somebody is publishing already, and that is
   * a lost connection of this stream's own, it is reset; `onReset` is called then. Never throws.
   */
  async ended(
    evidence: Evidence,
    how: "ended" | "planned" | Failure,
    onReset: () => void,
  ): Promise<void> {
    const before = this.#lost;
    const isRefused = typeof how === "object" && how.reason === "already-publishing";
    if (!isRefused) this.#lost = [...before, ...evidence.ends].slice(-MOST);
    if (!isRefused || before.length === 0) return;
    if ((await resetGhosts(before).catch(() => 0)) === 0) return;
    this.#lost = [];
    const sentence = `${this.#name}: its own lost connection was still open at the receiver; it was reset`;
    this.#log.info({ event: "ghost" }, sentence);
    onReset();
  }
}
