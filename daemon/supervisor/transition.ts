import type { Failure } from "../ffmpeg/failure.ts";
import type { Event, Step, TimerName, World } from "./events.ts";
import { NO_STREAK, type Run, type State } from "./state.ts";
import type { Streak } from "../store/schemas.ts";
import {
  atRest,
  failed,
  forceKill,
  forceKilled,
  info,
  noMedia,
  stalledLine,
  prepare,
  stay,
  step,
  streakOf,
  terminate,
} from "./steps.ts";

/**
 * The life of a stream. Pure: the same state, event and world give the same step. An event that means
 * nothing in a state leaves it as it is.
 *
 *   stopped --start--> preparing --> starting --media flows--> live --end of input--> finished
 *                        ^   |          |                       |
 *                        |   +--failure-+--exit, no media in time, exit--> backoff, or failed
 *                        +--------------------- timer ------------------------+
 *   live --nothing taken any more--> stopping --exit--> backoff
 *   any with a process --stop--> stopping --exit--> stopped, or preparing where that was a restart
 *   any at rest, or backoff --no room--> waiting --room--> preparing
 *   preparing --somebody else holds the lock--> foreign --timer--> preparing
 */
export const transition = (state: State, event: Event, world: World): Step => {
  switch (event.type) {
    case "start":
      return onStart(state);
    case "restart":
      return onRestart(state);
    case "refresh":
      return state.is === "live" || state.is === "starting"
        ? terminate(state.run, "resume", null, state.streak)
        : stay(state);
    case "resume":
      return isIdle(state) ? prepare(streakOf(state), false) : stay(state);
    case "stop":
      return onStop(state, event.why ?? null);
    case "no-room":
      return isIdle(state)
        ? step({ is: "waiting", why: event.why, streak: streakOf(state) })
        : stay(state);
    case "hurry":
      return state.is === "stopping" && state.run !== null && state.force !== "kill"
        ? step({ ...state, force: "kill" }, { do: "signal", run: state.run, signal: "SIGKILL" })
        : stay(state);
    case "adopt":
      return adopted(event.run, event.flowing, event.streak);
    case "prepared":
      return onPrepared(state, event.run);
    case "unprepared":
      return onUnprepared(state, event.failure, world);
    case "locked":
      return onLocked(state, event.why);
    case "rechecked":
      if (state.is !== "foreign") return stay(state);
      if (!event.free) return step({ ...state });
      return world.wanted ? prepare(state.streak, false) : step({ is: "stopped" });
    case "flowing":
      return state.is === "starting"
        ? step({ is: "live", run: state.run, streak: state.streak }, info("live", "on the air"))
        : stay(state);
    case "stalled":
      return state.is === "live"
        ? terminate(state.run, "resume", event.failure, state.streak, stalledLine(event.failure))
        : stay(state);
    case "exited":
      return onExited(state, event.how, world);
    case "timer":
      return onTimer(state, event.timer, world);
    default:
      return event satisfies never;
  }
};

const onStart = (state: State): Step => {
  if (state.is === "stopping") return step({ ...state, next: "start", failure: null });
  return isIdle(state) ? prepare(NO_STREAK, true) : stay(state);
};

const onRestart = (state: State): Step => {
  if (state.is === "starting" || state.is === "live")
    return terminate(state.run, "start", null, state.streak);
  return onStart(state);
};

const onStop = (state: State, why: Failure | null): Step => {
  switch (state.is) {
    case "stopping":
      return step({ ...state, next: "rest", failure: null });
    case "preparing":
      return step({
        is: "stopping",
        run: null,
        next: "rest",
        force: "no",
        failure: null,
        streak: state.streak,
      });
    case "starting":
    case "live":
      return terminate(state.run, "rest", why, state.streak);
    // A process that is not ours to end is still on the air: "stopped" would be a lie.
    case "foreign":
    case "stopped":
      return stay(state);
    case "finished":
    case "failed":
    case "backoff":
    case "waiting":
      return step({ is: "stopped" }, info("stopped", "stopped"));
    default:
      return state satisfies never;
  }
};

const adopted = (run: Run, flowing: boolean, streak: Streak): Step =>
  step(
    flowing ? { is: "live", run, streak } : { is: "starting", run, streak },
    info("adopted", `adopted FFmpeg ${run.pids.ffmpeg.pid}, which was running before this daemon`),
  );

const onPrepared = (state: State, run: Run): Step => {
  const started = info("started", `started FFmpeg ${run.pids.ffmpeg.pid}`);
  if (state.is === "preparing") return step({ is: "starting", run, streak: state.streak }, started);
  // A stop came while the process was being started.
  if (isOvertaken(state)) return terminate(run, state.next, state.failure, state.streak);
  return stay(state);
};

const onUnprepared = (state: State, failure: Failure, world: World): Step => {
  if (isOvertaken(state)) return atRest(state.next);
  if (state.is !== "preparing") return stay(state);
  // An input may come back, a late mount say; but not for somebody who is waiting for the answer.
  const ofInput = failure.reason === "input-missing" || failure.reason === "input-corrupt";
  const permanent = failure.permanent || (state.byOperator && ofInput);
  return failed({ ...failure, permanent }, state.streak, world);
};

const onLocked = (state: State, why: string): Step => {
  if (state.is !== "preparing" && !isOvertaken(state)) return stay(state);
  return step(
    { is: "foreign", why, streak: state.streak },
    { do: "log", level: "error", event: "foreign", sentence: `not started: ${why}` },
  );
};

const onExited = (state: State, how: "ended" | "planned" | Failure, world: World): Step => {
  if (state.is === "stopping" && state.run !== null) {
    return state.failure === null ? atRest(state.next) : failed(state.failure, state.streak, world);
  }
  if (state.is !== "starting" && state.is !== "live") return stay(state);
  if (how === "ended")
    return step({ is: "finished" }, { do: "finish" }, info("finished", "played to its end"));
  if (how === "planned") return world.wanted ? prepare(NO_STREAK, false) : step({ is: "stopped" });
  return failed(how, state.streak, world);
};

const onTimer = (state: State, timer: TimerName, world: World): Step => {
  switch (timer) {
    case "retry":
      if (state.is !== "backoff") return stay(state);
      return world.wanted ? prepare(state.streak, false) : step({ is: "stopped" });
    case "recheck":
      return state.is === "foreign" ? step(state, { do: "recheck" }) : stay(state);
    case "settled":
      return state.is === "live" ? step({ ...state, streak: NO_STREAK }) : stay(state);
    case "start-timeout":
      return state.is === "starting"
        ? terminate(state.run, "resume", noMedia(world.startTimeoutMs), state.streak)
        : stay(state);
    case "escalate":
      return escalated(state);
    default:
      return timer satisfies never;
  }
};

/** TERM was not enough. FFmpeg stuck in a write heeds only a second one; KILL ends anything. */
const escalated = (state: State): Step => {
  if (state.is !== "stopping" || state.run === null) return stay(state);
  const { run } = state;
  const force = state.force === "no" ? "again" : "kill";
  return step(
    { ...state, force },
    { do: "signal", run, signal: force === "again" ? "SIGTERM" : "SIGKILL" },
    ...(state.force === "no" ? [forceKill] : state.force === "again" ? [forceKilled] : []),
  );
};

/** A preparation under way was overtaken by a stop; what comes of it is still to be heard. */
const isOvertaken = (state: State): state is Extract<State, { is: "stopping" }> =>
  state.is === "stopping" && state.run === null;

const isIdle = (state: State): boolean =>
  state.is === "stopped" ||
  state.is === "finished" ||
  state.is === "failed" ||
  state.is === "waiting" ||
  state.is === "backoff";
