/** Work of one owner, one piece after another; what fails holds up nothing. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #refusal: (() => Error) | null = null;

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#refusal !== null) throw this.#refusal();
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** From now on every piece, those that wait included, fails with this. */
  close(refusal: () => Error): void {
    this.#refusal = refusal;
  }
}
