import type { StreamStats } from "../helpers/rtmp-stats.ts";

/** How long a stream was wanted on the air, and how long its bytes arrived, as the server counts them. */
export type Delivery = {
  readonly desiredMs: number;
  readonly deliveringMs: number;
  /** The longest time without what is due. */
  readonly longestSilenceMs: number;
};

/** A tenth of what is due says that it goes on: a receiver's kernel trickles after a death. */
const LEAST_PART = 0.1;

/**
 * Counts one stream from its first bytes on. `dueBytesPerMs` is what its film comes to; a look that
 * comes late judges the whole time since the one before.
 */
export class DeliveryCount {
  readonly #dueBytesPerMs: number;
  #last: { readonly atMs: number; readonly bytes: number } | null = null;
  #desiredMs = 0;
  #deliveringMs = 0;
  #silenceMs = 0;
  #longestSilenceMs = 0;

  constructor(dueBytesPerMs: number) {
    this.#dueBytesPerMs = dueBytesPerMs;
  }

  /** `stream` is what the server says of it, undefined where it knows none of that name. */
  see(atMs: number, stream: Pick<StreamStats, "bytesIn"> | undefined): void {
    const bytes = stream?.bytesIn ?? 0;
    const last = this.#last;
    if (last === null && bytes === 0) return;
    this.#last = { atMs, bytes };
    if (last === null) return;
    const ms = atMs - last.atMs;
    // A new publisher begins at nothing.
    const grown = bytes < last.bytes ? bytes : bytes - last.bytes;
    const arrives = grown > 0 && grown >= this.#dueBytesPerMs * ms * LEAST_PART;
    this.#desiredMs += ms;
    if (arrives) this.#deliveringMs += ms;
    this.#silenceMs = arrives ? 0 : this.#silenceMs + ms;
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, this.#silenceMs);
  }

  get delivery(): Delivery {
    return {
      desiredMs: this.#desiredMs,
      deliveringMs: this.#deliveringMs,
      longestSilenceMs: this.#longestSilenceMs,
    };
  }
}
