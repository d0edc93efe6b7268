import { statSync } from "node:fs";
import { StreamBroError } from "../../shared/errors.ts";
import type { OutputStatus, StreamStatus } from "../../shared/contract/status.ts";
import { DESIRED_STATES } from "../../shared/states.ts";
import { instant } from "../clock/clock.ts";
import type { Destination } from "../destination/parted.ts";
import { shownUrl } from "../destination/destination.ts";
import { type Identity, existence } from "../runner/identity.ts";
import { readPids, readRunRecord } from "../runner/run-record.ts";
import type { StreamPlaces } from "../store/layout.ts";
import type { LeftStream } from "../store/left.ts";
import type { StreamLimiter } from "../limits/stream-limiter.ts";
import { foreign } from "../supervisor/refusals.ts";
import { readLoosely } from "./read-loosely.ts";

type Left = LeftStream & {
  /** Nothing is known of it but its process; with that it is gone. */
  readonly isStray: boolean;
  readonly places: StreamPlaces;
  /** Found by its marker, should the run directory say nothing. */
  readonly marked: Identity | null;
  readonly since: number;
};

/**
 * Streams that only a newer release understands, or whose file cannot be read just now, and processes on
 * the air for a stream that this daemon does not know, as its specification is lost. They are shown as far
 * as they can be, their names are taken, and nobody starts, stops, changes or removes them here.
 */
export class LeftAlone {
  readonly #left = new Map<string, Left>();
  readonly #limiter: Pick<StreamLimiter, "hold" | "unregisterStream">;
  /** Names for which a slot is held. */
  readonly #held = new Set<string>();

  constructor(limiter: Pick<StreamLimiter, "hold" | "unregisterStream">) {
    this.#limiter = limiter;
  }

  take(left: LeftStream, places: StreamPlaces, marked: Identity | null): void {
    const since = statSync(left.file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    this.#left.set(left.name, { ...left, isStray: false, places, marked, since });
  }

  /** A process of a stream that nobody knows, for as long as it lives. */
  takeStray(name: string, places: StreamPlaces, process: Identity): void {
    const since = readRunRecord(places.run)?.startedAt ?? Date.now();
    const unknown = { name, file: places.run, isNewer: false, why: "", said: null, secrets: null };
    this.#left.set(name, { ...unknown, isStray: true, places, marked: process, since });
  }

  has(name: string): boolean {
    return this.#find(name) !== null;
  }

  /** Whose it is; null where there is none of that name. */
  ownerOf(name: string): string | null {
    const left = this.#find(name);
    return left === null ? null : (readLoosely(left.said).owner ?? UNKNOWN_OWNER);
  }

  /** What is on the air counts towards the limits; to be called again and again, since it ends unnoticed. */
  settleSlots(): void {
    const onAirNow = new Map(
      this.#all().flatMap((left) =>
        onAir(left) === null ? [] : [[left.name, readLoosely(left.said).owner ?? UNKNOWN_OWNER]],
      ),
    );
    for (const [name, owner] of onAirNow) {
      this.#limiter.hold(name, owner);
      this.#held.add(name);
    }
    for (const name of this.#held) if (!onAirNow.has(name)) this.#giveBack(name);
  }

  #giveBack(name: string): void {
    if (this.#held.delete(name)) this.#limiter.unregisterStream(name);
  }

  /** Errors: FOREIGN_PROCESS where its FFmpeg is on the air, OPERATION_FAILED where it is not. */
  refuse(name: string): void {
    const left = this.#find(name);
    if (left === null) return;
    const process = onAir(left);
    if (process !== null) throw foreign(name, saysOnAir(left, process));
    throw new StreamBroError("OPERATION_FAILED", `${name}: ${whyOf(left)}. ${adviceOf(left)}`);
  }

  /** All of them, or those of the names, as clients see them. */
  statuses(names?: ReadonlySet<string>): StreamStatus[] {
    return this.#all()
      .filter(({ name }) => names === undefined || names.has(name))
      .map(statusOf);
  }

  /** Which of them is on the air and sends to a target; null where none is known to. */
  sendingTo(target: string, targetOf: (destination: Destination) => string): string | null {
    for (const left of this.#all()) {
      if (onAir(left) === null) continue;
      const url = readLoosely(left.said).outputs[0]?.url;
      const own = url === undefined ? null : targetOf({ url, secrets: left.secrets?.[0] ?? {} });
      if (target === own || target === readRunRecord(left.places.run)?.target) return left.name;
    }
    return null;
  }

  #all(): Left[] {
    return [...this.#left.keys()].flatMap((name) => this.#find(name) ?? []);
  }

  #find(name: string): Left | null {
    const left = this.#left.get(name);
    if (left === undefined) return null;
    if (!left.isStray || onAir(left) !== null) return left;
    this.#left.delete(name);
    // At once: the next stream of that name has a slot of its own.
    this.#giveBack(name);
    return null;
  }
}

const onAir = ({ places, marked }: Left): Identity | null =>
  [readPids(places.run)?.ffmpeg, marked].find(
    (one) => one !== null && one !== undefined && existence(one) !== "dead",
  ) ?? null;

const saysOnAir = (left: Left, { pid }: Identity): string =>
  left.isStray
    ? `FFmpeg ${pid} is on the air for a stream "${left.name}" that this daemon does not know; end it with: kill ${pid}`
    : `FFmpeg ${pid} is on the air for this stream, and ${whyOf(left)}`;

const whyOf = ({ file, isNewer, why }: LeftStream): string =>
  isNewer ? `${file} cannot be used: ${why}` : `${file} cannot be read just now (${why})`;

const adviceOf = ({ isNewer }: LeftStream): string =>
  isNewer
    ? "It is left as it is. Install that release again."
    : "It is left as it is. Mend that, then start streambrod again.";

/** No user can be called that. */
export const UNKNOWN_OWNER = "(unknown)";

const statusOf = (left: Left): StreamStatus => {
  const { name } = left;
  const said = readLoosely(left.said);
  const process = onAir(left);
  const run = process === null ? null : readRunRecord(left.places.run);
  const message = process === null ? `${whyOf(left)}. ${adviceOf(left)}` : saysOnAir(left, process);
  const sent = run === null ? [] : [{ url: run.url, hasKey: true }];
  const outputs = said.outputs.length > 0 ? said.outputs : sent;
  const code = process !== null ? "foreign" : left.isNewer ? "newer" : "unread";
  return {
    name,
    owner: said.owner ?? UNKNOWN_OWNER,
    mayControl: true,
    state: process === null ? "failed" : "foreign",
    desired: DESIRED_STATES.find((one) => one === said.desired) ?? "stopped",
    health: "unknown",
    since: instant(left.since),
    startedAt: run === null ? null : instant(run.startedAt),
    pid: process?.pid ?? null,
    restarts: 0,
    retryAt: null,
    stopAt: null,
    input: said.input ?? run?.input ?? "",
    position: null,
    outputs: outputs.map(({ url, hasKey }): OutputStatus => ({
      url: shownUrl(url, hasKey),
      health: "unknown",
      bytes: null,
      bitrateKbps: null,
      backlogBytes: null,
      rttMs: null,
      retransmits: null,
      healthBy: null,
      error: message,
    })),
    progress: null,
    usage: null,
    tracks: null,
    lastExit: null,
    lastError: { code, message },
    note: message,
  };
};
