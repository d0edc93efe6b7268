import type { BreachAction } from "../../shared/contract/spec.ts";
import type { Tracks } from "../../shared/contract/status.ts";
import type { FailureReason } from "../../shared/states.ts";

/** What is counted over the daemon's lives; whoever sees such a thing happen calls its method. */
export type Metrics = {
  /** FFmpeg was started, for whatever reason; `tracks` null where all is copied. */
  streamStarted(owner: string, tracks: Tracks | null): void;
  /** The first media of a start has arrived. */
  streamOnAir(owner: string): void;
  /** FFmpeg ended as it was to: by a stop, at the end of the input, for a fresh process. */
  streamStopped(owner: string): void;
  /** FFmpeg ended otherwise, or could not be started. */
  streamFailed(owner: string, reason: FailureReason): void;
  /** A failure is followed by another attempt. */
  streamRestarted(owner: string): void;
  /** SIGKILL was sent. */
  forceKilled(owner: string): void;
  /** What a stream left behind was cleared away, or could not be. */
  cleanedUp(result: "success" | "failure", freedBytes: number): void;
  limitRefused(owner: string, scope: "user" | "global"): void;
  resourcesWarned(owner: string): void;
  resourcesBreached(owner: string, action: BreachAction): void;
  /** `seconds` went by in which a stream should have been on the air. */
  timePassed(owner: string, seconds: number, delivering: boolean): void;
};
