import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import { lookAt } from "../media/look.ts";
import { watched } from "../reach/input.ts";
import { rotateWhenLonger } from "../logs/log-file.ts";
import type { StreamPlaces } from "../store/layout.ts";
import { type Means, examine } from "./examine.ts";
import type { Stream } from "./stream.ts";

/** What running streams need beside being watched; never throws. */
export class Upkeep {
  readonly #log: Log;
  readonly #logMaxBytes: () => number;
  readonly #means: Means;
  /** What went wrong last, by stream: it is said once, until it is something else. */
  readonly #said = new Map<string, string>();
  /** Inputs that are being looked at: a disk that hangs is asked once and not again and again. */
  readonly #looking = new Set<string>();
  /** What a replaced input looked like the time before: it is used when nobody writes to it any more. */
  readonly #replaced = new Map<string, string>();
  /** A replaced input that cannot be played is not examined again until it changes. */
  readonly #refused = new Map<string, string>();

  constructor(log: Log, logMaxBytes: () => number, means: Means) {
    this.#log = log;
    this.#logMaxBytes = logMaxBytes;
    this.#means = means;
  }

  /** Keeps the log within its bound and the run directory whole. */
  look(stream: Stream, places: StreamPlaces): void {
    const { name } = stream.spec;
    try {
      rotateWhenLonger(places.log, this.#logMaxBytes());
      if (stream.supervisor.session?.mend() === true) {
        const sentence = `${name}: its run directory was gone and was laid out again`;
        this.#log.warn({ event: "mended", stream: name }, sentence);
      }
      this.#said.delete(name);
    } catch (error) {
      this.#say(name, messageOf(error));
    }
  }

  /** Forgets a stream that has come to rest. */
  forget(name: string): void {
    this.#said.delete(name);
    this.#replaced.delete(name);
    this.#refused.delete(name);
  }

  /** Saves how far the stream has come, and looks whether its input was replaced. */
  checkpoint(stream: Stream): void {
    void stream.supervisor.remember();
    void this.#refreshWhenReplaced(stream);
  }

  /** An input that was replaced, has come to rest and can be played becomes a planned restart. */
  async #refreshWhenReplaced(stream: Stream): Promise<void> {
    const record = stream.supervisor.session?.contents.record;
    if (record === undefined) return;
    const { name, input, media, url } = record;
    if (this.#looking.has(name)) return;
    this.#looking.add(name);
    try {
      const { owner, mode, encoding } = stream.spec;
      const reached = await this.#means.reach.of(owner, input);
      if (!reached.ok) return;
      const found = await lookAt(watched(reached.input), LOOK_MS);
      if ("failed" in found || found.kind !== "file") return;
      if (found.sizeBytes === media.sizeBytes && found.mtimeMs === media.mtimeMs) {
        this.#replaced.delete(name);
        return;
      }
      const seen = `${found.sizeBytes} ${found.mtimeMs}`;
      const settled = this.#replaced.get(name) === seen;
      this.#replaced.set(name, seen);
      if (!settled || this.#refused.get(name) === seen) return;
      const examined = await examine({ owner, input, url, mode, encoding }, this.#means);
      if (!examined.ok) {
        this.#refused.set(name, seen);
        return this.#say(
          name,
          `its input was replaced, and what is there now cannot be played: ${examined.failure.message}`,
        );
      }
      const sentence = `${name}: its input was replaced; restarting with the new one`;
      this.#log.info({ event: "replaced", stream: name }, sentence);
      stream.supervisor.dispatch({ type: "refresh" });
    } finally {
      this.#looking.delete(name);
    }
  }

  #say(name: string, problem: string): void {
    if (this.#said.get(name) === problem) return;
    this.#said.set(name, problem);
    this.#log.warn({ event: "upkeep", stream: name }, `${name}: ${problem}`);
  }
}

const LOOK_MS = 5_000;
