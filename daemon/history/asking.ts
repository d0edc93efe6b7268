import { AsyncLocalStorage } from "node:async_hooks";
import type { MethodName } from "../../shared/contract/methods.ts";
import type { By } from "./happening.ts";

/** What is being carried out, and for whom; `time` is the schedule. */
export type Asked = {
  readonly command: MethodName | "time";
  readonly by: By | null;
  /** Whether they may know of everybody's streams. */
  readonly isAdmin?: boolean;
};

/**
 * Knows, wherever something happens, which command it comes of. What a command has set going goes on
 * under its name: whoever looks has to know which commands lead to what happened just now.
 */
export class Asking {
  readonly #asked = new AsyncLocalStorage<Asked>();

  get current(): Asked | null {
    return this.#asked.getStore() ?? null;
  }

  /** Carries out something that comes due. */
  onTime<T>(work: () => T): T {
    return this.#asked.run({ command: "time", by: null }, work);
  }

  /** Carries out a command. */
  on<T, A extends unknown[]>(asked: Asked, work: (...given: A) => T, ...given: A): T {
    return this.#asked.run(asked, work, ...given);
  }
}
