import type { Settings } from "../config/settings.ts";
import type { Run, State } from "./state.ts";
import type { TimerName } from "./events.ts";

export type TimerSettings = {
  readonly startTimeoutMs: number;
  readonly forceKillMs: number;
  readonly resetMs: number;
};

export const timerSettings = (settings: Settings): TimerSettings => ({
  startTimeoutMs: settings.START_TIMEOUT_MS,
  forceKillMs: settings.FORCE_KILL_TIMEOUT_MS,
  resetMs: settings.RETRY_RESET_MS,
});

/** FFmpeg stuck in a write ignores one SIGTERM and heeds a second; a healthy one is gone by then. */
const SECOND_TERM_MS = 1_000;
const RECHECK_MS = 10_000;

/** What is due in a state, and when, counted from its entry; `key` tells one deadline from another. */
export type Due = { readonly timer: TimerName; readonly afterMs: number; readonly key: string };

/** The one timer that runs while a stream is in a state, set when the state is entered; or none. */
export const timerOf = (state: State, settings: TimerSettings, now: number): Due | null => {
  switch (state.is) {
    case "backoff":
      return {
        timer: "retry",
        afterMs: Math.max(0, state.retryAt - now),
        key: `retry ${state.retryAt}`,
      };
    case "starting":
      return {
        timer: "start-timeout",
        afterMs: settings.startTimeoutMs,
        key: `start ${processOf(state.run)}`,
      };
    case "live":
      return {
        timer: "settled",
        afterMs: settings.resetMs,
        key: `settled ${processOf(state.run)}`,
      };
    case "stopping":
      return state.run === null
        ? null
        : {
            timer: "escalate",
            afterMs: escalationMs(state.force, settings),
            key: `escalate ${state.force} ${processOf(state.run)}`,
          };
    case "foreign":
      return { timer: "recheck", afterMs: RECHECK_MS, key: "recheck" };
    case "stopped":
    case "finished":
    case "failed":
    case "waiting":
    case "preparing":
      return null;
    default:
      return state satisfies never;
  }
};

/** Times of the wall clock change when that is set. */
const processOf = ({ pids: { ffmpeg } }: Run): string => `${ffmpeg.pid} ${ffmpeg.startTime}`;

const escalationMs = (force: "no" | "again" | "kill", { forceKillMs }: TimerSettings): number => {
  const second = Math.min(SECOND_TERM_MS, forceKillMs);
  return force === "no" ? second : force === "again" ? forceKillMs - second : 1_000;
};
