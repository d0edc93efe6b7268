import type { MethodName } from "../../shared/contract/methods.ts";
import { StreamBroError } from "../../shared/errors.ts";
import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import type { Asker } from "./asker.ts";
import { givenIn } from "./given.ts";

/** Refusals of one user that are logged one by one in a minute; of the others only how many. */
const MOST_REFUSALS = 10;
const WINDOW_MS = 60_000;
/** Users whose refusals are counted apart. */
const MOST_APART = 1_000;

/** What somebody has asked for that would change something. */
export type Attempt = {
  readonly asker: Asker;
  readonly method: MethodName;
  readonly params: object;
};

type Ports = { readonly log: Log; readonly clock: Pick<Clock, "after"> };

/** One line in the log for each change: who, from which uid, what, and how it went. Never a value. */
export class Audit {
  readonly #ports: Ports;
  /** By uid, since when there is a window of time. */
  readonly #refusals = new Map<number | null, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  done(attempt: Attempt): void {
    this.#write(attempt, "done", null);
  }

  /** A refusal that somebody expected has a code; anything else is a bug. */
  failed(attempt: Attempt, error: unknown): void {
    const { uid } = attempt.asker;
    const count = this.#count(uid);
    if (count > MOST_REFUSALS) return;
    const isExpected = error instanceof StreamBroError;
    this.#write(attempt, isExpected ? "refused" : "failed", isExpected ? error.code : null);
  }

  #count(uid: number | null): number {
    const key = this.#refusals.has(uid) || this.#refusals.size < MOST_APART ? uid : -1;
    const count = (this.#refusals.get(key) ?? 0) + 1;
    if (count === 1) this.#ports.clock.after(WINDOW_MS, () => this.#close(key));
    this.#refusals.set(key, count);
    return count;
  }

  #close(uid: number | null): void {
    const more = (this.#refusals.get(uid) ?? 0) - MOST_REFUSALS;
    this.#refusals.delete(uid);
    if (more <= 0) return;
    const who = uid === -1 ? "others" : `uid ${uid}`;
    const sentence = `${who}: ${more} more ${more === 1 ? "attempt was" : "attempts were"} refused within a minute`;
    this.#ports.log.info({ event: "audit", uid, outcome: "refused", more }, sentence);
  }

  #write({ asker, method, params }: Attempt, outcome: string, code: string | null): void {
    const { uid, user } = asker;
    const stream = "name" in params && typeof params.name === "string" ? params.name : null;
    const changed = givenIn(params);
    const fields = { event: "audit", method, stream, uid, user, outcome, code, changed };
    const what = [method, ...(stream === null ? [] : [stream])].join(" ");
    const how = code === null ? outcome : `${outcome} (${code})`;
    const of = changed.length === 0 ? "" : `: ${changed.join(", ")}`;
    this.#ports.log.info(fields, `${whoIs(asker)}: ${what}: ${how}${of}`);
  }
}

const whoIs = ({ uid, user }: Asker): string =>
  uid === null ? "somebody" : user === null ? `uid ${uid}` : `${user} (uid ${uid})`;
