import type { HistoryEntry, NotificationName } from "../../shared/contract/history.ts";
import { StreamBroError } from "../../shared/errors.ts";
import type { Log } from "../log/log.ts";
import type { Channel } from "../rpc/channel.ts";

/** Who may listen at once. */
const MOST = 32;
/** And of them for one user who is no admin. */
const MOST_OF_ONE = 8;
/** Bytes that a reader may leave unread, beside the snapshot it began with. */
const MOST_UNREAD = 1024 * 1024;

/** Who wants to listen, and to what. */
export type Listening = {
  readonly channel: Channel;
  /** Null: everything. */
  readonly names: readonly string[] | null;
  /** Null for whom no bound holds but that of all. */
  readonly uid: number | null;
  readonly mayHear: (entry: HistoryEntry) => boolean;
};

type Subscriber = Pick<Listening, "uid" | "mayHear"> & {
  readonly names: ReadonlySet<string> | null;
  /** What was told before the answer to the subscription was on its way; null after that. */
  early: string[] | null;
  /** Bytes of the snapshot and what lay before it. */
  allowance: number;
};

/** Clients that are told what happens, for as long as they read. */
export class Subscribers {
  readonly #all = new Map<Channel, Subscriber>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get count(): number {
    return this.#all.size;
  }

  /** What happens from now on follows the answer. Errors: SUBSCRIBERS_EXCEEDED. */
  add({ channel, names, uid, mayHear }: Listening, gone: AbortSignal): void {
    if (gone.aborted) return;
    if (this.#all.has(channel)) {
      const sentence = "this connection has subscribed already; open another one.";
      throw new StreamBroError("OPERATION_FAILED", sentence);
    }
    if (this.#all.size >= MOST) {
      const sentence = `${MOST} others listen to the daemon's events already: end one of them, or try later.`;
      throw new StreamBroError("SUBSCRIBERS_EXCEEDED", sentence);
    }
    const own = [...this.#all.values()].filter((one) => uid !== null && one.uid === uid).length;
    if (own >= MOST_OF_ONE) {
      const sentence = `you listen to the daemon's events ${own} times already: end one of them (streambro events -f).`;
      throw new StreamBroError("SUBSCRIBERS_EXCEEDED", sentence);
    }
    const subscriber: Subscriber = {
      ...{ uid, mayHear },
      names: names === null ? null : new Set(names),
      early: [],
      allowance: 0,
    };
    this.#all.set(channel, subscriber);
    gone.addEventListener("abort", () => this.#all.delete(channel));
    // The answer is written before that.
    setImmediate(() => {
      const { early } = subscriber;
      subscriber.early = null;
      subscriber.allowance = channel.unread();
      for (const line of early ?? []) this.#send(channel, subscriber, line);
    });
  }

  /** Tells everybody whom it concerns. */
  tell(entry: HistoryEntry): void {
    if (this.#all.size === 0) return;
    const line = notification("event", entry);
    for (const [channel, subscriber] of this.#all) {
      const { names, mayHear } = subscriber;
      if (!mayHear(entry)) continue;
      if (names === null || (entry.stream !== null && names.has(entry.stream)))
        this.#send(channel, subscriber, line);
    }
  }

  /** The last that they hear. */
  close(message: string): void {
    for (const channel of this.#all.keys()) channel.end(notification("ended", { message }));
    this.#all.clear();
  }

  #send(channel: Channel, subscriber: Subscriber, line: string): void {
    // Dropped meanwhile, or gone.
    if (this.#all.get(channel) !== subscriber) return;
    if (subscriber.early !== null) {
      subscriber.early.push(line);
      return;
    }
    const unread = channel.unread() - subscriber.allowance;
    if (unread <= MOST_UNREAD) return channel.send(line);
    this.#all.delete(channel);
    const message = `more than ${MOST_UNREAD / 1024} KiB of events were left unread; subscribe again.`;
    channel.end(notification("dropped", { message }));
    const sentence = "a reader of events was too slow and is disconnected";
    this.#log.warn({ event: "events-dropped", unread }, sentence);
  }
}

const notification = (method: NotificationName, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", method, params });
