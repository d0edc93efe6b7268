import { closeSync, openSync, readSync } from "node:fs";

const PIECE_BYTES = 65_536;
/** Enough to see what goes wrong. */
const MOST_KEPT = 20;

/** Counts a daemon's log events by name, reading on from where it stopped. */
export class EventCount {
  readonly #file: string;
  readonly #byName = new Map<string, number>();
  readonly #errors: string[] = [];
  #errorCount = 0;
  #offset = 0;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  of(name: string): number {
    return this.#byName.get(name) ?? 0;
  }

  /** Lines of level `error`, force kills left out, which are counted by name. */
  get errors(): { readonly count: number; readonly first: readonly string[] } {
    return { count: this.#errorCount, first: this.#errors };
  }

  read(): void {
    const fd = openSync(this.#file, "r");
    const piece = Buffer.alloc(PIECE_BYTES);
    try {
      for (;;) {
        const length = readSync(fd, piece, 0, piece.length, this.#offset);
        if (length === 0) return;
        this.#offset += length;
        const lines = `${this.#rest}${piece.toString("latin1", 0, length)}`.split("\n");
        this.#rest = lines.pop() ?? "";
        for (const line of lines) this.#take(line);
      }
    } finally {
      closeSync(fd);
    }
  }

  #take(line: string): void {
    const name = /"event":"([^"]+)"/.exec(line)?.[1] ?? "";
    this.#byName.set(name, this.of(name) + 1);
    if (!line.includes('"level":"error"') || name === "FORCE_KILL_REQUIRED") return;
    this.#errorCount += 1;
    if (this.#errors.length < MOST_KEPT) this.#errors.push(line);
  }
}
