import type { Failure } from "../ffmpeg/failure.ts";
import type { Delivery } from "../health/delivery.ts";
import type { Evidence } from "../health/evidence.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";
import { noDelivery } from "./steps.ts";

const UNKNOWN: Delivery = { health: "unknown", why: null };

/** A change of a stream's health, as it is told. */
export type HealthChange = { readonly from: Delivery; readonly to: Delivery };

/**
 * A stream's health as everybody sees it. A stall lasts until media flows again, also while FFmpeg is
 * being replaced: nothing arrives in all that time.
 */
export class StreamHealth {
  #told: Delivery = UNKNOWN;
  #stall: Delivery | null = null;

  /** As of a time at which somebody asks. */
  at(state: State, evidence: Evidence | null, at: number): Delivery {
    if (state.is === "live") return evidence?.deliveryAt(at) ?? UNKNOWN;
    return this.#stall !== null && outlasts(state) ? this.#stall : UNKNOWN;
  }

  /**
   * Takes note of how things are now; `change` where they were otherwise the last time, `stall` where a
   * stream that was on the air has to be started again.
   */
  see(
    state: State,
    session: Pick<Session, "evidence" | "suspended"> | null,
    at: number,
  ): { readonly change: HealthChange | null; readonly stall: Failure | null } {
    const now = this.at(state, session?.evidence ?? null, at);
    if (now.health === "stalled") this.#stall = now;
    else if (state.is === "live" || !outlasts(state)) this.#stall = null;
    const from = this.#told;
    this.#told = now;
    const isStall = state.is === "live" && now.health === "stalled";
    return {
      change: from.health === now.health ? null : { from, to: now },
      stall: isStall ? noDelivery(session?.suspended ?? now.why ?? "nothing arrives") : null,
    };
  }
}

/** On the way back to the air. */
const outlasts = (state: State): boolean =>
  state.is === "preparing" ||
  state.is === "starting" ||
  state.is === "backoff" ||
  (state.is === "stopping" && state.next === "resume");
