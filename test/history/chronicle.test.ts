import t from "tap";
import type { Asked } from "../../daemon/history/asking.ts";
import { type Around, happeningsOf } from "../../daemon/history/chronicle.ts";
import type { Event, World } from "../../daemon/supervisor/events.ts";
import { noMedia } from "../../daemon/supervisor/steps.ts";
import { NO_STREAK, type Run, type State } from "../../daemon/supervisor/state.ts";
import { transition } from "../../daemon/supervisor/transition.ts";

const run: Run = { pids: { runner: null, ffmpeg: { pid: 7, startTime: 1 } }, startedAt: 0 };
const policy = {
  ...{ firstMs: 500, maxMs: 10_000, maxLaterMs: 60_000, youngMs: 300_000 },
  ...{ inputMs: 60_000, limit: 0 },
};
const world: World = { now: 1_200, random: 0.5, startTimeoutMs: 30_000, wanted: true, policy };
const refused = { reason: "connection-refused", permanent: false, message: "refused" } as const;
const broken = { reason: "codec-unsupported", permanent: true, message: "no such codec" } as const;
const anna = { uid: 1000, user: "anna" };
const by = (command: Asked["command"]): Partial<Around> => ({ asked: { command, by: anna } });

const start: Event = { type: "start" };
const stop: Event = { type: "stop" };
const prepared: Event = { type: "prepared", run };
const flowing: Event = { type: "flowing" };
const timer = (name: Extract<Event, { type: "timer" }>["timer"]): Event => ({
  type: "timer",
  timer: name,
});
const exited = (how: Extract<Event, { type: "exited" }>["how"]): Event => ({ type: "exited", how });

/** Goes through the events with the real table, and gives what is told of the last. */
const lastOf = (events: readonly Event[], more: Partial<Around> = {}): string[] => {
  let state: State = { is: "stopped" };
  let told: string[] = [];
  for (const event of events) {
    const { state: next } = transition(state, event, world);
    const usual = { now: world.now, draining: false, asked: null, exit: null, fallback: null };
    told = happeningsOf(state, event, next, { ...usual, ...more }).map((one) =>
      [
        one.kind === "state" ? `${one.from ?? ""} -> ${one.to ?? ""}` : one.kind,
        `${one.message}${one.by == null ? "" : ` (${one.by.user ?? ""})`}`,
        ...(one.reason == null ? [] : [one.reason]),
        ...Object.entries(one.details ?? {}).map(([name, value]) => `${name}=${String(value)}`),
      ].join("; "),
    );
    state = next;
  }
  return told;
};

const live = [start, prepared, flowing];

t.test("each step of a stream's life is told in its words", async (t) => {
  const rows: readonly (readonly [readonly Event[], Partial<Around>, readonly string[]])[] = [
    [[start], by("stream.start"), ["stopped -> starting; asked to start (anna)"]],
    [[start], {}, ["stopped -> starting; asked to start"]],
    [[start, prepared], {}, ["started; started FFmpeg 7; pid=7"]],
    [live, {}, ["starting -> live; on the air 1.2 s after FFmpeg was started; afterMs=1200"]],
    [[...live, flowing], {}, []],
    [[...live, timer("settled")], {}, []],
    [
      [...live, exited(refused)],
      { exit: { code: 1, signal: null } },
      [
        "live -> backoff; refused; retry in 0.3 s; connection-refused; exitCode=1; exitSignal=null; retryInMs=250",
      ],
    ],
    [[...live, exited(refused), timer("retry")], {}, ["backoff -> starting; trying again"]],
    [
      [...live, exited(broken)],
      { exit: { code: 1, signal: null } },
      ["live -> failed; no such codec; codec-unsupported; exitCode=1; exitSignal=null"],
    ],
    [
      [...live, exited(refused)],
      { fallback: "refused" },
      [
        "encoder-fallback; refused; software encodes until it is started again; encoder-failed",
        "live -> backoff; refused; retry in 0.3 s; connection-refused; retryInMs=250",
      ],
    ],
    [[...live, exited("ended")], {}, ["live -> finished; played to its end; end-of-input"]],
    [[...live, exited("planned")], {}, ["live -> starting; time for a fresh process"]],
    [[...live, stop], by("stream.stop"), ["live -> stopping; asked to stop (anna)"]],
    [[...live, stop], by("stream.remove"), ["live -> stopping; asked to remove it (anna)"]],
    [[...live, stop], { draining: true }, ["live -> stopping; the daemon is ending"]],
    [
      [...live, stop],
      { asked: { command: "time", by: null } },
      ["live -> stopping; its time is over"],
    ],
    [[...live, stop], {}, ["live -> stopping; it is not wanted"]],
    [
      [...live, { type: "stop", why: { ...broken, reason: "resource-breach", message: "much" } }],
      by("stream.stop"),
      ["live -> stopping; much; resource-breach"],
    ],
    [
      [
        ...live,
        { type: "stalled", failure: { ...refused, reason: "no-media", message: "nothing" } },
      ],
      {},
      ["live -> stopping; nothing; no-media"],
    ],
    [[...live, { type: "refresh" }], {}, ["live -> stopping; a fresh process is due"]],
    [
      [...live, { type: "restart" }],
      by("stream.restart"),
      ["live -> stopping; asked to restart (anna)"],
    ],
    [[...live, { type: "restart" }, exited(refused)], {}, ["stopping -> starting; starting again"]],
    [[...live, stop, exited(refused)], {}, ["stopping -> stopped; FFmpeg has ended"]],
    [[...live, stop, timer("escalate")], {}, []],
    [
      [...live, stop, timer("escalate"), timer("escalate")],
      {},
      ["force-kill; FFmpeg did not respond to SIGTERM: SIGKILL sent"],
    ],
    [
      [...live, stop, { type: "hurry" }],
      {},
      ["force-kill; FFmpeg was not to be waited for: SIGKILL sent"],
    ],
    [
      [start, prepared, timer("start-timeout")],
      {},
      [`starting -> stopping; ${noMedia(30_000).message}; no-media`],
    ],
    [[{ type: "no-room", why: "full" }], {}, ["stopped -> waiting; full; limit-exceeded"]],
    [
      [{ type: "no-room", why: "full" }, { type: "resume" }],
      {},
      ["waiting -> starting; there is room for it now"],
    ],
    [[{ type: "resume" }], {}, ["stopped -> starting; it is to be running"]],
    [[start, { type: "locked", why: "taken" }], {}, ["starting -> foreign; taken"]],
    [
      [{ type: "adopt", run, flowing: true, streak: NO_STREAK }],
      by("stream.start"),
      ["adopted; adopted FFmpeg 7, which was running before this daemon; pid=7"],
    ],
  ];
  for (const [events, around, told] of rows) {
    const path = events.map(({ type }) => type).join(" ");
    t.same(lastOf(events, around), told, path);
  }
});

t.test("what follows a whole sentence begins one", async (t) => {
  const asking = { ...refused, message: "a refused. Is it there?" };
  t.match(lastOf([...live, exited(asking)]), [/Is it there\? Retry in 0\.3 s; /]);
});

t.test("a command's name does not stick to what it has set going", async (t) => {
  const asked = by("stream.start");
  t.same(lastOf([...live, exited(refused), timer("retry")], asked), [
    "backoff -> starting; trying again",
  ]);
  t.same(lastOf([...live, stop], asked), ["live -> stopping; it is not wanted"]);
});
