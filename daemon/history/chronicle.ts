import type { Event } from "../supervisor/events.ts";
import { type State, shownState } from "../supervisor/state.ts";
import type { Asked } from "./asking.ts";
import type { By, Happening } from "./happening.ts";

/** What else is known at the moment of a step. */
export type Around = {
  /** Unix milliseconds. */
  readonly now: number;
  /** The daemon is ending. */
  readonly draining: boolean;
  readonly asked: Asked | null;
  /** How FFmpeg last ended. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Why software is to encode in place of hardware. */
  readonly fallback: string | null;
};

type Told = Omit<Happening, "stream">;

/** One step in a stream's life as it is remembered: in no words, one or two. Pure. */
export const happeningsOf = (from: State, event: Event, to: State, around: Around): Told[] => {
  const told: Told[] = [];
  if (event.type === "adopt") {
    const { pid } = event.run.pids.ffmpeg;
    const message = `adopted FFmpeg ${pid}, which was running before this daemon`;
    return [{ kind: "adopted", to: shownState(to), message, details: { pid } }];
  }
  if (event.type === "prepared" && from.is === "preparing") {
    const { pid } = event.run.pids.ffmpeg;
    told.push({ kind: "started", message: `started FFmpeg ${pid}`, details: { pid } });
  }
  if (isKill(to) && !isKill(from)) {
    const why = event.type === "hurry" ? "was not to be waited for" : "did not respond to SIGTERM";
    told.push({ kind: "force-kill", message: `FFmpeg ${why}: SIGKILL sent` });
  }
  const { fallback } = around;
  if (event.type === "exited" && "failure" in to && to.failure?.message === fallback) {
    const message = followed(fallback ?? "", "software encodes until it is started again");
    told.push({ kind: "encoder-fallback", reason: "encoder-failed", message });
  }
  const [was, is] = [shownState(from), shownState(to)];
  if (was === is) return told;
  const by = askerOf(event, around.asked);
  const why = whyOf(from, event, to, around, by);
  return [...told, { kind: "state", from: was, to: is, by, ...why }];
};

const isKill = (state: State): boolean => state.is === "stopping" && state.force === "kill";

/** Which commands lead to an event; what they have set going long ago may lead to others. */
const COMMANDS: Readonly<Partial<Record<Event["type"], readonly string[]>>> = {
  start: ["stream.start"],
  restart: ["stream.restart", "stream.set"],
  stop: ["stream.stop", "stream.remove"],
};

const askerOf = (event: Event, asked: Asked | null): By | null => {
  if (event.type === "stop" && event.why !== undefined) return null;
  const leads = asked !== null && COMMANDS[event.type]?.includes(asked.command) === true;
  return leads ? asked.by : null;
};

type Why = Pick<Told, "message" | "reason" | "details">;

const whyOf = (from: State, event: Event, to: State, around: Around, by: By | null): Why => {
  const details = event.type === "exited" ? exitOf(around) : {};
  switch (to.is) {
    case "backoff": {
      const { reason, message } = to.failure;
      const retryInMs = Math.max(0, to.retryAt - around.now);
      const sentence = followed(message, `retry in ${(retryInMs / 1000).toFixed(1)} s`);
      return { reason, message: sentence, details: { ...details, retryInMs } };
    }
    case "failed":
      return { reason: to.failure.reason, message: to.failure.message, details };
    case "waiting":
      return { reason: "limit-exceeded", message: to.why };
    case "foreign":
      return { message: to.why };
    case "finished":
      return { reason: "end-of-input", message: "played to its end", details };
    case "live": {
      const afterMs = Math.max(0, around.now - to.run.startedAt);
      const message = `on the air ${(afterMs / 1000).toFixed(1)} s after FFmpeg was started`;
      return { message, details: { afterMs } };
    }
    case "stopping":
    case "stopped":
      return { ...stopping(from, event, to, around, by), details };
    case "preparing":
    case "starting":
      return { message: starting(from, event, by), details };
    default:
      return to satisfies never;
  }
};

/** Two parts of a line; the first may be a whole sentence, or several. */
const followed = (first: string, then: string): string =>
  /[.?!]$/.test(first)
    ? `${first} ${then.charAt(0).toUpperCase()}${then.slice(1)}`
    : `${first}; ${then}`;

const exitOf = ({ exit }: Around): NonNullable<Told["details"]> =>
  exit === null ? {} : { exitCode: exit.code, exitSignal: exit.signal };

const stopping = (
  from: State,
  event: Event,
  to: Extract<State, { is: "stopping" | "stopped" }>,
  { draining, asked }: Around,
  by: By | null,
): Why => {
  if (event.type === "stop" && event.why !== undefined) return event.why;
  if (to.is === "stopping" && to.failure !== null) return to.failure;
  if (event.type === "restart") return { message: "asked to restart" };
  if (event.type === "refresh") return { message: "a fresh process is due" };
  if (event.type === "exited") return { message: "FFmpeg has ended" };
  if (event.type !== "stop") return { message: "it was not to go on" };
  if (draining) return { message: "the daemon is ending" };
  if (asked?.command === "stream.remove") return { message: "asked to remove it" };
  if (by !== null || asked?.command === "stream.stop") return { message: "asked to stop" };
  if (asked?.command === "time") return { message: "its time is over" };
  return { message: from.is === "starting" || from.is === "live" ? "it is not wanted" : "stopped" };
};

const starting = (from: State, event: Event, by: By | null): string => {
  if (event.type === "start" || by !== null) return "asked to start";
  if (event.type === "restart") return "asked to restart";
  if (event.type === "timer") return "trying again";
  if (event.type === "exited")
    return from.is === "stopping" ? "starting again" : "time for a fresh process";
  if (event.type === "rechecked") return "the process in its way is gone";
  return from.is === "waiting" ? "there is room for it now" : "it is to be running";
};
