/**
 * Writes of which only the latest matters: while one is under way at most one waits, and a newer value
 * takes its place. A slow disk makes no queue.
 */
export class LatestWriter<T> {
  readonly #write: (name: string, value: T) => Promise<boolean>;
  readonly #waiting = new Map<string, { value: T; readonly done: Promise<boolean> }>();
  readonly #running = new Map<string, Promise<boolean>>();

  /** `write` must not reject; it says whether the value is safe. */
  constructor(write: (name: string, value: T) => Promise<boolean>) {
    this.#write = write;
  }

  /** Whether this value, or a newer one, is safe. */
  put(name: string, value: T): Promise<boolean> {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) {
      waiting.value = value;
      return waiting.done;
    }
    const before = this.#running.get(name);
    if (before === undefined) return this.#run(name, value);
    const done = before.then(() => {
      const latest = this.#waiting.get(name)?.value ?? value;
      this.#waiting.delete(name);
      return this.#run(name, latest);
    });
    this.#waiting.set(name, { value, done });
    return done;
  }

  /** Resolves when nothing of this name is under way or waits. */
  async settled(name: string): Promise<void> {
    await (this.#waiting.get(name)?.done ?? this.#running.get(name));
  }

  #run(name: string, value: T): Promise<boolean> {
    const running = this.#write(name, value).finally(() => {
      if (this.#running.get(name) === running) this.#running.delete(name);
    });
    this.#running.set(name, running);
    return running;
  }
}
