/** Cuts a byte stream into lines, one JSON-RPC message each, and never holds more than `most` bytes. */
export class FrameReader {
  #parts: Buffer[] = [];
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
      this.#parts = [];
      this.#held = 0;
      onTooLong();
      return;
    }
    this.#parts.push(piece);
    this.#held += piece.length;
  }

  #finish(onLine: (line: string) => void): void {
    const line = this.#skipping ? "" : Buffer.concat(this.#parts).toString("utf8").trim();
    this.#skipping = false;
    this.#parts = [];
    this.#held = 0;
    if (line !== "") onLine(line);
  }
}
