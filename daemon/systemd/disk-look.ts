import { messageOf } from "../log/message-of.ts";

/** From then on the disk counts as one that does not answer. */
const PATIENCE_MS = 10_000;

/** Tries again and again whether a disk still takes what must survive. */
export class DiskLook {
  readonly #directory: string;
  readonly #write: (directory: string) => Promise<void>;
  readonly #monotonic: () => number;
  /** When the try that is under way was begun. */
  #since: number | null = null;
  #failure: string | null = null;

  /** `write` makes something durable in the directory, and leaves nothing there. */
  constructor(
    directory: string,
    write: (directory: string) => Promise<void>,
    monotonic: () => number,
  ) {
    this.#directory = directory;
    this.#write = write;
    this.#monotonic = monotonic;
  }

  /**
   * Begins a try, where none is under way: of a disk that hangs one thread is the most that is lost. It
   * is not a process, since that would be one more that cannot be ended.
   */
  begin(): void {
    if (this.#since !== null) return;
    this.#since = this.#monotonic();
    void this.#try();
  }

  async #try(): Promise<void> {
    let failure: string | null = null;
    try {
      await this.#write(this.#directory);
    } catch (error) {
      failure = messageOf(error);
    }
    this.#since = null;
    this.#failure = failure;
  }

  /** What is wrong with the disk, in short and in a sentence; null where nothing is known to be. */
  trouble(): { readonly brief: string; readonly sentence: string } | null {
    const waited = this.#since === null ? 0 : this.#monotonic() - this.#since;
    if (waited > PATIENCE_MS) {
      const sentence = `The disk with ${this.#directory} does not answer: nothing is saved. Streams go on; a restart mends nothing. See: dmesg`;
      return { brief: "the disk does not answer", sentence };
    }
    if (this.#failure === null) return null;
    const sentence = `Nothing can be saved in ${this.#directory}: ${this.#failure}. Streams go on. See: df -h, df -i`;
    return { brief: "the disk takes nothing", sentence };
  }
}
