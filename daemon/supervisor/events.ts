import type { Failure } from "../ffmpeg/failure.ts";
import type { Streak } from "../store/schemas.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import type { Run, State } from "./state.ts";

/** What can happen to a stream. */
export type Event =
  | { readonly type: "start" | "restart" }
  /** `why` where nobody asked for it: it is told when the process has ended. */
  | { readonly type: "stop"; readonly why?: Failure | undefined }
  /** A fresh process is due although nothing failed: the input was replaced. */
  | { readonly type: "refresh" }
  /** The daemon wants it running, without anybody having asked just now. */
  | { readonly type: "resume" }
  /** It should run, and a limit leaves no room for it: it waits. */
  | { readonly type: "no-room"; readonly why: string }
  /** Somebody does not want to wait for its end: KILL at once. */
  | { readonly type: "hurry" }
  /** A process from before this daemon; `flowing` where it is known to deliver. */
  | {
      readonly type: "adopt";
      readonly run: Run;
      readonly flowing: boolean;
      readonly streak: Streak;
    }
  | { readonly type: "prepared"; readonly run: Run }
  | { readonly type: "unprepared"; readonly failure: Failure }
  | { readonly type: "locked"; readonly why: string }
  /** Whether the lock that a foreign process held is still held. */
  | { readonly type: "rechecked"; readonly free: boolean }
  | { readonly type: "flowing" }
  /** The receiver takes nothing any more, and FFmpeg does not notice. */
  | { readonly type: "stalled"; readonly failure: Failure }
  /** `ended`: all was played; `planned`: time for a fresh process; else a failure. */
  | { readonly type: "exited"; readonly how: "ended" | "planned" | Failure }
  | { readonly type: "timer"; readonly timer: TimerName };

export type TimerName = "retry" | "start-timeout" | "settled" | "escalate" | "recheck";

export type Effect =
  | { readonly do: "prepare" }
  | { readonly do: "recheck" }
  | { readonly do: "signal"; readonly run: Run; readonly signal: "SIGTERM" | "SIGKILL" }
  /** Desired becomes stopped: the stream has done what it was for. */
  | { readonly do: "finish" }
  | {
      readonly do: "log";
      readonly level: "info" | "warn" | "error";
      readonly event: string;
      readonly sentence: string;
    };

export type World = {
  readonly now: number;
  readonly random: number;
  readonly policy: RestartPolicy;
  readonly startTimeoutMs: number;
  /** Desired is running. */
  readonly wanted: boolean;
};

export type Step = { readonly state: State; readonly effects: readonly Effect[] };
