import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { OWNED_MS, PASSED_PROGRAMS, STARTED_PROGRAMS, UNDISTURBED_GAP_MS } from "./bounds.ts";
import { LeakSearch } from "./leaks.ts";
import { Owners } from "./owners.ts";
import { locksOf } from "./own-processes.ts";
import { ProcessTable, type Seen, pushersOf } from "./process-table.ts";
import type { Stage } from "./stage.ts";

const EVERY_MS = 250;
/** How often files are read and the daemon is asked. */
const THOROUGH_MS = 1_500;

/** Looks at everything from outside, all the while. */
export class Checker {
  readonly #stage: Stage;
  readonly #locks: string;
  readonly #table = new ProcessTable();
  readonly #leaks: LeakSearch;
  readonly #owners: Owners;
  readonly #over = new AbortController();
  readonly #running: Promise<unknown>;
  looks = 0;
  /** The longest that this process itself stood still, in milliseconds. */
  longestPauseMs = 0;

  constructor(stage: Stage, ownedMs: number = OWNED_MS) {
    this.#stage = stage;
    this.#locks = locksOf(stage);
    this.#leaks = new LeakSearch(stage);
    this.#owners = new Owners(stage, ownedMs);
    this.#running = Promise.all([this.#watch(), this.#examine()]);
    // Told by stop().
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  /** A connection or a publisher came while there was one: are there two FFmpegs for it? */
  overlap(evidence: string): void {
    this.#publishers(this.#table.look(), evidence);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#over;
    let pausedMs = 0;
    while (!signal.aborted) {
      const now = performance.now();
      this.looks += 1;
      const seen = this.#table.look();
      this.#publishers(seen, "looked at");
      this.#onTheAir(now, pausedMs);
      this.#leaks.inCommandLines(seen);
      this.#decoy();
      this.#daemonLives();
      const restMs = Math.max(20, EVERY_MS - (performance.now() - now));
      const from = performance.now();
      await after(restMs, undefined, { signal }).catch(() => {});
      pausedMs = Math.max(0, performance.now() - from - restMs);
      this.longestPauseMs = Math.max(this.longestPauseMs, pausedMs);
    }
  }

  /** What waits for answers, and must not keep the rest from being looked at. */
  async #examine(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#receiver();
      this.#leaks.inFiles();
      await this.#owners.look(() => pushersOf(this.#table.look(), this.#locks));
      await this.#leaks.inAnswers();
      await after(THOROUGH_MS, undefined, { signal }).catch(() => {});
    }
  }

  #publishers(seen: readonly Seen[], evidence: string): void {
    const by = new Map<string, Seen[]>();
    for (const one of pushersOf(seen, this.#locks))
      by.set(one.marker ?? "", [...(by.get(one.marker ?? "") ?? []), one]);
    for (const [marker, some] of by) {
      if (some.length < 2) continue;
      const who = some.map(({ pid, startTime, state }) => `${pid} (${state}, since ${startTime})`);
      const text = `${marker}: ${who.join(" and ")}, ${evidence}`;
      this.#stage.violations.broken("one-publisher", text, marker);
    }
  }

  /** `pausedMs`: this process was not there to see what arrived. */
  #onTheAir(now: number, pausedMs: number): void {
    const { targets, expectations, violations, machine } = this.#stage;
    const permittedMs = UNDISTURBED_GAP_MS + machine.allowance(PASSED_PROGRAMS);
    const busyMs = machine.allowance(STARTED_PROGRAMS);
    for (const { name, arrivals } of targets) {
      const silentMs = now - arrivals.lastAt;
      if (expectations.isUndisturbed(name) && silentMs - pausedMs > permittedMs) {
        const text = `${name}: no byte for ${Math.round(silentMs)} ms, and nothing was done to it; permitted are ${Math.round(permittedMs)}`;
        violations.broken("undisturbed", text, `${name} ${arrivals.bytes}`);
      }
      const late = expectations.lateBy(name, now, busyMs);
      if (late === null || arrivals.lasts(0, now)) continue;
      const text = `${name}: not on the air ${Math.round(late.boundMs + late.lateMs)} ms after the fault was lifted; permitted are ${late.boundMs} ms and ${Math.round(busyMs)} for a busy machine`;
      violations.broken("on-the-air", text, name);
    }
  }

  #decoy(): void {
    const { decoy, violations } = this.#stage;
    const signals = decoy.signals();
    if (signals.length > 0)
      violations.broken("no-foreign-signal", `the decoy got ${signals.join(" ")}`);
  }

  #daemonLives(): void {
    const { daemon, times, violations } = this.#stage;
    // It may fail to serve while it is kept from it, but never end.
    if (daemon.running() || (times.isAway && daemon.exitCode() === null)) return;
    const said = readFileSync(path.join(daemon.dir, "stderr"), "utf8").slice(-1_500);
    const log = daemon.log().trimEnd().split("\n").slice(-3).join("\n").slice(-2_000);
    const text = `streambrod ended by itself with ${daemon.exitCode()}:\n${log}\n${said}`;
    violations.broken("daemon-alive", text, `end ${daemon.pid()}`);
  }

  /** nginx's own page: a key with more than one publisher. */
  async #receiver(): Promise<void> {
    const { server, violations } = this.#stage;
    const stats = await server.stats().catch(() => null);
    for (const { name, publishers } of stats?.streams ?? [])
      if (publishers > 1)
        violations.broken("one-publisher", `nginx: ${publishers} publishers of ${name.slice(-24)}`);
  }
}
