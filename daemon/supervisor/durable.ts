import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { DesiredState } from "../../shared/states.ts";
import type { Destination } from "../destination/parted.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import { uptimeMs } from "../clock/wall-clock.ts";
import { bootId } from "../runner/identity.ts";
import type { SpecRecord } from "../store/schemas.ts";
import type { OutputSecrets } from "../store/secrets.ts";

/** A destination with its secrets, or why it cannot be used. */
export type Destined =
  | { readonly ok: true; readonly destination: Destination }
  | { readonly ok: false; readonly failure: Failure };

type Ports = {
  /** Writes in the order of the calls. `inForce`: it holds, saved or not, and is to be saved later. */
  readonly save: (record: SpecRecord, inForce: boolean) => Promise<void>;
  /** When it is to be stopped by itself has changed. */
  readonly scheduled: (stopAt: number | null) => void;
};

/** When a stream is to be stopped by itself, as its record has it. */
export type StopTime = Pick<SpecRecord, "stopAt" | "stopBy">;

export const NEVER: StopTime = { stopAt: null, stopBy: null };

/** So much later than now, by the clock that nobody sets. */
export const stopAfter = (forMs: number, now: number): StopTime => ({
  stopAt: now + forMs,
  stopBy: { bootId: bootId(), uptimeMs: uptimeMs() + forMs },
});

const LEAST_MS = 1_000;

/** What of a stream outlives the daemon: its specification, its keys, and what is wanted of it. */
export class Durable {
  readonly #ports: Ports;
  #record: SpecRecord;
  #secrets: OutputSecrets | null;
  #saves: Promise<unknown> = Promise.resolve();

  constructor(record: SpecRecord, secrets: OutputSecrets | null, ports: Ports) {
    this.#record = record;
    this.#secrets = secrets;
    this.#ports = ports;
  }

  get record(): SpecRecord {
    return this.#record;
  }

  get spec(): StreamSpec {
    return this.#record.spec;
  }

  get desired(): DesiredState {
    return this.#record.desired;
  }

  /** When it is to be stopped by itself, in milliseconds since the epoch; null for never. */
  get stopAt(): number | null {
    return this.#record.stopAt;
  }

  get stop(): StopTime {
    const { stopAt, stopBy } = this.#record;
    return { stopAt, stopBy };
  }

  /**
   * A stop that was given as a length of time comes after that time, whatever the wall clock was set to
   * meanwhile, with a daemon there or without; over a reboot, which clocks do not outlive, as it stood.
   */
  followClock(now: number): void {
    const { stopBy, stopAt } = this.#record;
    if (stopBy === null || stopAt === null || stopBy.bootId !== bootId()) return;
    const due = Math.round(now + stopBy.uptimeMs - uptimeMs());
    if (Math.abs(due - stopAt) < LEAST_MS) return;
    this.#record = { ...this.#record, stopAt: due };
    this.#ports.scheduled(due);
    // What cannot be saved now is worked out anew by the next daemon.
    this.#save(this.#record, true).catch(() => {});
  }

  get outputSecrets(): OutputSecrets | null {
    return this.#secrets;
  }

  /** Secrets of the first output; empty where there are none. */
  get secrets(): Readonly<Record<string, string>> {
    return this.#secrets?.[0] ?? {};
  }

  /** Nothing is changed where it cannot be saved. Errors: STORAGE_FAILED. */
  async change(record: SpecRecord, secrets: OutputSecrets | null): Promise<void> {
    const before = this.#record;
    await this.#save(record, false);
    const { desired, stopAt, stopBy } = this.#record;
    // The stream may have come to its end meanwhile: that was not known when this was written.
    const isOvertaken = this.#record !== before;
    this.#record = isOvertaken ? { ...record, desired, stopAt, stopBy } : record;
    this.#secrets = secrets;
    if (isOvertaken) await this.#save(this.#record, true);
  }

  /** False: so already. Errors: STORAGE_FAILED, and nothing was changed. */
  async want(desired: DesiredState, stop: StopTime): Promise<boolean> {
    const { record } = this;
    if (record.desired === desired && record.stopAt === stop.stopAt) return false;
    await this.change({ ...record, desired, ...stop }, this.#secrets);
    this.#ports.scheduled(this.stopAt);
    return true;
  }

  /** At once, whatever becomes of saving it: what clients see must fit what happens. */
  async wantStopped(): Promise<void> {
    this.#record = { ...this.#record, desired: "stopped", ...NEVER };
    this.#ports.scheduled(null);
    await this.#save(this.#record, true);
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#saves;
  }

  #save(record: SpecRecord, inForce: boolean): Promise<void> {
    const saving = this.#ports.save(record, inForce);
    // Without a result of its own, which would hold that of the one before, and so on.
    this.#saves = Promise.allSettled([this.#saves, saving]).then(() => undefined);
    return saving;
  }

  destination(): Destined {
    const { spec, keys } = this.#record;
    const [output] = spec.outputs;
    const secrets = this.#secrets?.[0];
    if (output === undefined || (keys !== null && secrets === undefined)) {
      const message = `its stream key cannot be read. Give it again: streambro set ${spec.name} --key-file FILE`;
      return { ok: false, failure: { reason: "auth-or-path-rejected", permanent: true, message } };
    }
    return { ok: true, destination: { url: output.url, secrets: secrets ?? {} } };
  }
}
