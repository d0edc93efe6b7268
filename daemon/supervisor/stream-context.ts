import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { DesiredState } from "../../shared/states.ts";
import type { Clock } from "../clock/clock.ts";
import type { Settings } from "../config/settings.ts";
import type { Destination } from "../destination/parted.ts";
import type { EncoderSource } from "../encoders/choice.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { Log } from "../log/log.ts";
import type { SeenMedia } from "../media/seen-media.ts";
import type { Reach } from "../reach/reach.ts";
import type { Launcher } from "../runner/launch.ts";
import type { LockState } from "../runner/lock.ts";
import type { StreamPlaces } from "../store/layout.ts";
import type { MemoryRecord } from "../store/schemas.ts";
import type { Destined } from "./durable.ts";
import type { Left } from "./adoption.ts";
import type { Tools } from "./examine.ts";
import type { StartGate } from "./start-gate.ts";

/** What all streams of a daemon share. */
export type Surroundings = {
  /** As they are now: some change while the daemon runs. */
  readonly settings: () => Settings;
  readonly tools: Tools;
  readonly encoders: EncoderSource;
  readonly seen: SeenMedia;
  readonly reach: Pick<Reach, "of">;
  readonly launch: Launcher;
  readonly clock: Clock;
  /** Bounds how many begin at once. */
  readonly starts: StartGate;
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number;
  /** The daemon is ending: nothing may be started any more. */
  readonly draining: () => boolean;
  /** Aborted then: looks at inputs that are under way end at once. */
  readonly ending: AbortSignal;
  /** In [0, 1). */
  readonly random: () => number;
};

/** What a supervisor needs of the world; it reaches for nothing else. */
export type StreamContext = Surroundings & {
  readonly name: string;
  readonly log: Log;
  readonly places: StreamPlaces;
  spec(): StreamSpec;
  desired(): DesiredState;
  destination(): Destined;
  /**
   * Why the stream must not start now: another one sends to its destination. In words for the stream's
   * owner, who may not know of others' destinations, or for whoever asks just now.
   */
  conflict(forWhom: "owner" | "asker"): Failure | null;
  /** False, and logged, where there is no room. */
  remember(memory: MemoryRecord): Promise<boolean>;
  /** The stream has done what it was for: desired becomes stopped. */
  finish(): Promise<void>;
  /** Clears away what the last run has left: the run directory, or all that need not stay at rest. */
  cleanUp(what: "run" | "all"): void;
  lock(): Promise<LockState>;
  /** What is left of an earlier run of this stream. */
  left(): Left;
  /** Which receiver and key a destination is, in a form that tells nothing. */
  targetOf(destination: Destination): string;
};
