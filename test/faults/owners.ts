import { call } from "../helpers/rpc.ts";
import { basename } from "node:path";
import { ANSWER_MS } from "./bounds.ts";
import type { Seen } from "./process-table.ts";
import type { Stage } from "./stage.ts";

/** How long a daemon may fall silent before that is a violation of its own. */
const SILENT_MS = 3 * ANSWER_MS;

/** Whether every FFmpeg is one that its stream names, and the daemon answers at all. */
export class Owners {
  readonly #stage: Stage;
  readonly #ownedMs: number;
  /** FFmpegs that no stream named, and since when. */
  readonly #strays = new Map<string, number>();
  #silentSince: number | null = null;
  #daemonPid = 0;

  /** `ownedMs`: how long an FFmpeg may be there before its stream names it. */
  constructor(stage: Stage, ownedMs: number) {
    this.#stage = stage;
    this.#ownedMs = ownedMs;
  }

  /** `pushers` is asked after the daemon has answered. */
  async look(pushers: () => readonly Seen[]): Promise<void> {
    const { daemon, times, violations } = this.#stage;
    if (times.isAway) return this.#beginAnew();
    const backAt = times.backAt;
    const asked = performance.now();
    const answer = await call(daemon.socket, "stream.status", {}, ANSWER_MS).catch(() => null);
    // A fault came in between.
    if (times.isAway || times.backAt !== backAt) return this.#beginAnew();
    const now = performance.now();
    if (answer === null) {
      this.#silentSince ??= asked;
      const silentMs = now - this.#silentSince;
      if (silentMs > SILENT_MS)
        violations.broken("daemon-alive", `no answer for ${Math.round(silentMs)} ms`, "silent");
      return;
    }
    this.#silentSince = null;
    if (this.#daemonPid !== daemon.pid()) this.#strays.clear();
    this.#daemonPid = daemon.pid();
    const named = new Map(answer.streams.map(({ name, pid, state }) => [name, { pid, state }]));
    const present = new Set<string>();
    for (const { pid, startTime, marker } of pushers()) {
      const owner = named.get(basename(marker ?? ""));
      if (owner?.pid === pid) continue;
      const id = `${pid} ${startTime}`;
      present.add(id);
      const since = this.#strays.get(id) ?? now;
      this.#strays.set(id, since);
      if (now - since < this.#ownedMs) continue;
      const said =
        owner === undefined
          ? "there is no such stream"
          : `it is ${owner.state} with pid ${owner.pid}`;
      const text = `FFmpeg ${pid} of ${basename(marker ?? "")} for ${Math.round(now - since)} ms: ${said}`;
      violations.broken("no-stray", text, id);
    }
    for (const id of this.#strays.keys()) if (!present.has(id)) this.#strays.delete(id);
  }

  #beginAnew(): void {
    this.#strays.clear();
    this.#silentSince = null;
  }
}
