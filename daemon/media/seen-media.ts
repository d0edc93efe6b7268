import type { MediaInfo } from "./media-info.ts";

const MOST_FILES = 500;

/** What inputs were when they were last examined, of the latest few hundred, by path and by who looked. */
export class SeenMedia {
  readonly #files = new Map<string, MediaInfo>();

  /** Counts only as long as the file has the same size and time of change. */
  of(file: string): MediaInfo | null {
    return this.#files.get(file) ?? null;
  }

  remember(file: string, media: MediaInfo): void {
    this.#files.delete(file);
    this.#files.set(file, media);
    const [oldest] = this.#files.keys();
    if (this.#files.size > MOST_FILES && oldest !== undefined) this.#files.delete(oldest);
  }
}
