import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import { writeAtomically } from "../store/atomic-file.ts";
import { LatestWriter } from "../store/latest.ts";
import { readLoneRecord } from "../store/lone-record.ts";
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

  /** Saves what is counted by now: what somebody was told must not go back after a crash. */
  async settle(): Promise<void> {
    if (this.#closed) return;
    this.#cancel();
    await this.#save();
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
export type Kept = {
  readonly counters: readonly CounterRow[];
  /** The file may well be good: it must not be written over. */
  readonly isUnread: boolean;
  readonly warning: string | null;
};

/** Reads the file. One that can never be read is set aside under another name, and counting begins anew. */
export const readKept = (file: string, now: number): Kept => {
  const found = readLoneRecord(file, MetricsRecord, now);
  switch (found.is) {
    case "good":
      return { counters: found.value.counters, isUnread: false, warning: null };
    case "none":
      return { counters: [], isUnread: false, warning: null };
    case "unread": {
      const warning = `${file} cannot be read just now (${found.why}); it is left as it is, and what is counted until streambrod is started again is not saved.`;
      return { counters: [], isUnread: true, warning };
    }
    case "newer": {
      const warning = `${file} is left as it is: ${found.why}. What this release counts is not saved.`;
      return { counters: [], isUnread: true, warning };
    }
    case "aside": {
      const warning = `${file} could not be read (${found.why}); it was set aside as ${found.movedTo}. The counters of metrics begin at 0.`;
      return { counters: [], isUnread: false, warning };
    }
    default:
      return found satisfies never;
  }
};
