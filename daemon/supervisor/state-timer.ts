import type { Clock } from "../clock/clock.ts";
import type { TimerName } from "./events.ts";
import type { Due } from "./timers.ts";

/** The one timer of a stream's state. */
export class StateTimer {
  readonly #clock: Clock;
  readonly #onDue: (timer: TimerName) => void;
  #pending: { readonly key: string; readonly cancel: () => void } | null = null;

  constructor(clock: Clock, onDue: (timer: TimerName) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /**
   * Sets what is due next, instead of what was. The very same timer keeps its deadline, or a command
   * that is repeated would put it off for ever.
   */
  set(due: Due | null): void {
    if (due !== null && due.key === this.#pending?.key) return;
    this.cancel();
    if (due === null) return;
    const cancel = this.#clock.after(due.afterMs, () => {
      this.#pending = null;
      this.#onDue(due.timer);
    });
    this.#pending = { key: due.key, cancel };
  }

  cancel(): void {
    this.#pending?.cancel();
    this.#pending = null;
  }
}
