/** Cuts a byte stream into lines, one JSON-RPC message each, and never holds more than `most` bytes. */
export class FrameReader {
  /** Grown by doubling: a frame that comes byte by byte must not cost a buffer a byte. */
  #buffer: Buffer = Buffer.alloc(0);
  #held = 0;
  #skipping = false;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes the next chunk; calls `onLine` for each whole line (without its newline, blank lines left
   * out) and `onTooLong` once for each line longer than the bound, whose bytes are thrown away.
   */
  push(chunk: Buffer, onLine: (line: string) => void, onTooLong: () => void): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(10, from);
      const piece = chunk.subarray(from, end < 0 ? chunk.length : end);
      this.#take(piece, onTooLong);
      if (end < 0) return;
      this.#finish(onLine);
      from = end + 1;
    }
  }

  #take(piece: Buffer, onTooLong: () => void): void {
    if (this.#skipping || piece.length === 0) return;
    if (this.#held + piece.length > this.#most) {
      this.#skipping = true;
      this.#drop();
      onTooLong();
      return;
    }
    const needed = this.#held + piece.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.alloc(Math.min(this.#most, Math.max(needed, this.#buffer.length * 2)));
      this.#buffer.copy(larger, 0, 0, this.#held);
      this.#buffer = larger;
    }
    piece.copy(this.#buffer, this.#held);
    this.#held = needed;
  }

  #finish(onLine: (line: string) => void): void {
    const line = this.#buffer.toString("utf8", 0, this.#held).trim();
    this.#skipping = false;
    this.#drop();
    if (line !== "") onLine(line);
  }

  #drop(): void {
    this.#buffer = Buffer.alloc(0);
    this.#held = 0;
  }
}
