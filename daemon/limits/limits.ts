import type { Params, Result } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";
import type { Settings } from "../config/settings.ts";
import { type LimitsRecord, NO_LIMITS, readLimits, writeLimits } from "./limits-file.ts";
import { StreamLimiter } from "./stream-limiter.ts";

/** Users that may have a limit of their own. */
const MOST_USERS = 1_000;

type LimitSettings = Pick<
  Settings,
  "MAX_CONCURRENT_STREAMS_PER_USER" | "MAX_CONCURRENT_STREAMS_GLOBAL" | "LIMITER_ENABLED"
>;

/** The limiter, with limits from the settings and from what `limits set` has changed for good. */
export class Limits {
  readonly limiter: StreamLimiter;
  /** What is wrong with the file, for the operator; null where nothing is. */
  readonly complaint: string | null;
  readonly #file: string;
  readonly #settings: () => LimitSettings;
  readonly #now: () => number;
  /** Null as long as the file is there and cannot be read: it is never written over then. */
  #record: LimitsRecord | null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: string, settings: () => LimitSettings, now: () => number) {
    this.#file = file;
    this.#settings = settings;
    this.#now = now;
    const { record, complaint } = readLimits(file, now());
    this.#record = record;
    this.complaint = complaint;
    this.limiter = new StreamLimiter(0, 0);
    this.refresh();
  }

  /** To be called when a setting has changed. What runs goes on, whatever the limits. */
  refresh(): void {
    const settings = this.#settings();
    const { perUser, global, users } = this.#record ?? NO_LIMITS;
    this.limiter.setLimits({
      perUser: perUser ?? settings.MAX_CONCURRENT_STREAMS_PER_USER,
      global: global ?? settings.MAX_CONCURRENT_STREAMS_GLOBAL,
      users,
    });
    this.limiter.setEnabled(settings.LIMITER_ENABLED);
  }

  /** Durable first, then in force. Null goes back to the settings. Errors: STORAGE_FAILED, INVALID_SPEC. */
  change(wanted: Params<"limits.set">): Promise<void> {
    const turn = this.#turn.then(() => this.#change(wanted));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Whether this user has a limit of its own. */
  hasOwn(user: string): boolean {
    return Object.hasOwn(this.limiter.values.users, user);
  }

  toResult(waiting: readonly string[]): Result<"limits.get"> {
    const { limiter } = this;
    const origin = (given: number | null | undefined): "settings" | "limits" =>
      (given ?? null) === null ? "settings" : "limits";
    return {
      version: 1,
      enabled: limiter.enabled,
      ...limiter.values,
      origin: { perUser: origin(this.#record?.perUser), global: origin(this.#record?.global) },
      active: { global: limiter.getGlobalStreamCount(), users: limiter.counts() },
      waiting: [...waiting],
    };
  }

  async #change(wanted: Params<"limits.set">): Promise<void> {
    const record = changed(this.#known(), wanted);
    await writeLimits(this.#file, record);
    this.#record = record;
    this.refresh();
  }

  #known(): LimitsRecord {
    if (this.#record !== null) return this.#record;
    const { record, complaint } = readLimits(this.#file, this.#now());
    if (record !== null) return record;
    throw new StreamBroError("STORAGE_FAILED", `Nothing was changed: ${complaint}`);
  }
}

const changed = (before: LimitsRecord, wanted: Params<"limits.set">): LimitsRecord => {
  const users = new Map(Object.entries(before.users));
  for (const [user, limit] of Object.entries(wanted.users ?? {})) {
    if (limit === null) users.delete(user);
    else users.set(user, limit);
  }
  if (users.size > MOST_USERS) {
    const sentence = `at most ${MOST_USERS} users can have limits of their own.`;
    throw new StreamBroError("INVALID_SPEC", sentence);
  }
  const { perUser = before.perUser, global = before.global } = wanted;
  return { version: 1, perUser, global, users: Object.fromEntries(users) };
};
