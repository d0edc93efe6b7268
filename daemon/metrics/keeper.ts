import { lstatSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import { writeAtomically } from "../store/atomic-file.ts";
import { LatestWriter } from "../store/latest.ts";
import { moveAside } from "../store/records.ts";
import { type CounterRow, MetricsRecord } from "./schema.ts";

/** Between two writes for something that was counted, and for time that merely went by. */
const COUNTED_MS = 1_000;
const PASSED_MS = 30_000;

type Surroundings = {
  readonly file: string;
  readonly rows: () => Promise<readonly CounterRow[]>;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
};

/** Keeps the counters on disk: the first count at once, those that follow within a second. */
export class Keeper {
  readonly #surroundings: Surroundings;
  readonly #writer: LatestWriter<null>;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #failing = false;
  #closed = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#writer = new LatestWriter(() => this.#write());
  }

  /** Something was counted; or, where `isTime`, only time went by. */
  touch(isTime: boolean): void {
    const now = this.#surroundings.monotonic();
    const due = isTime ? now + PASSED_MS : Math.max(now, this.#writtenAt + COUNTED_MS);
    if (this.#closed || due >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = due;
    this.#cancel = this.#surroundings.clock.after(due - now, () => void this.#save());
  }

  /** Writes a last time; nothing is written after that. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#save();
  }

  async #save(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#writtenAt = this.#surroundings.monotonic();
    await this.#writer.put("metrics", null);
  }

  /** Never rejects: what cannot be saved is said once, until it can. */
  async #write(): Promise<boolean> {
    const { file, rows, log } = this.#surroundings;
    try {
      const record: MetricsRecord = { version: 1, counters: [...(await rows())] };
      await writeAtomically(file, `${JSON.stringify(record)}\n`, 0o640);
      if (this.#failing) log.info({ event: "storage" }, "metrics: saving works again");
      this.#failing = false;
      return true;
    } catch (error) {
      const sentence = `metrics: counters are not being saved in ${file}: ${messageOf(error)}`;
      if (!this.#failing) log.error({ event: "storage", error }, sentence);
      this.#failing = true;
      return false;
    }
  }
}

/** What an earlier daemon counted, and what there is to say of its file. */
export type Kept = { readonly counters: readonly CounterRow[]; readonly warning: string | null };

/** Reads the file; one that cannot be read is set aside under another name, and counting begins anew. */
export const readKept = (file: string, now: number): Kept => {
  removeHalfWritten(file);
  let why: string;
  try {
    if (!lstatSync(file).isFile()) throw new Error("it is not a file");
    const parsed = MetricsRecord.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (parsed.success) return { counters: parsed.data.counters, warning: null };
    why = z.prettifyError(parsed.error).replaceAll("\n", " ");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { counters: [], warning: null };
    why = messageOf(error);
  }
  const movedTo = moveAside(file, now);
  const fate = movedTo === null ? "" : `; it was set aside as ${path.basename(movedTo)}`;
  const warning = `${file} could not be read (${why})${fate}. The counters of metrics begin at 0.`;
  return { counters: [], warning };
};

/** Left by a crash in the middle of a write; the file itself is whole. */
const removeHalfWritten = (file: string): void => {
  const [directory, name] = [path.dirname(file), path.basename(file)];
  try {
    for (const entry of readdirSync(directory))
      if (entry.startsWith(`${name}.`) && entry.endsWith(".tmp"))
        rmSync(path.join(directory, entry), { force: true });
  } catch {
    // It is in nobody's way.
  }
};
