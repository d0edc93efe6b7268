import { isDeepStrictEqual } from "node:util";
import type { LastExit } from "../../shared/contract/status.ts";
import type { MemoryRecord, Reached } from "../store/schemas.ts";
import type { ExitAccount } from "./exit-account.ts";
import { restOf } from "./memory.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";

/** What is remembered of a stream's runs, over the daemon's death and a reboot. */
export class TrackRecord {
  lastExit: LastExit | null;
  /** Unplanned ones since an operator last started the stream. */
  restarts: number;
  /** Why software encodes although hardware would: until an operator starts the stream again. */
  fallback: string | null;
  #reached: Reached | null;
  #failuresAtPosition: number;

  constructor(memory: MemoryRecord | null) {
    this.lastExit = memory?.lastExit ?? null;
    this.restarts = memory?.restarts ?? 0;
    this.fallback = memory?.fallback ?? null;
    this.#reached = memory?.reached ?? null;
    this.#failuresAtPosition = memory?.failuresAtPosition ?? 0;
  }

  /** What the next run goes on from; null for the beginning. */
  get resumeFrom(): Reached | null {
    return this.#failuresAtPosition < 2 ? this.#reached : null;
  }

  /** How far a run has come: by FFmpeg's word, or by what was known of this run before it fell silent. */
  outTimeOf(session: Session): number | null {
    const told = session.evidence.report?.outTimeMs ?? null;
    if (told !== null || this.#reached === null) return told;
    const { timeline, media } = session.contents.record;
    const same = isDeepStrictEqual(
      [this.#reached.timeline, this.#reached.media],
      [timeline, media],
    );
    return same ? this.#reached.outTimeMs : null;
  }

  /** Takes note of how a run ended, at an instant. */
  ended(account: ExitAccount, at: string): void {
    this.#reached = account.reached;
    this.#failuresAtPosition = account.blamesPosition ? this.#failuresAtPosition + 1 : 0;
    this.lastExit = { ...account.lastExit, at };
  }

  /** Begins to count anew; how many failures there were. */
  forgetFailures(): number {
    const failures = this.#failuresAtPosition;
    this.#failuresAtPosition = 0;
    return failures;
  }

  toMemory(state: State, since: number, session: Session | null): MemoryRecord {
    const record = session?.contents.record ?? null;
    if (session !== null && record !== null) {
      const { media, timeline, lagMs } = record;
      this.#reached = { media, timeline, lagMs, outTimeMs: this.outTimeOf(session) };
    }
    return {
      version: 1,
      reached: this.#reached,
      failuresAtPosition: this.#failuresAtPosition,
      restarts: this.restarts,
      fallback: this.fallback,
      lastExit: this.lastExit,
      rest: restOf(state, since, record),
    };
  }
}
