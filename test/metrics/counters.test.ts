import { Registry } from "../../daemon/metrics/prometheus.ts";
import t from "tap";
import type { Tracks } from "../../shared/contract/status.ts";
import { Counters, OTHERS } from "../../daemon/metrics/counters.ts";
import { COUNTERS } from "../../daemon/metrics/definitions.ts";
import { addGauges } from "../../daemon/metrics/gauges.ts";
import { tally } from "../../daemon/metrics/tally.ts";
import type { Event, World } from "../../daemon/supervisor/events.ts";
import type { Run, State } from "../../daemon/supervisor/state.ts";
import { transition } from "../../daemon/supervisor/transition.ts";
import { parseExposition, valueOf } from "../helpers/exposition.ts";

const run: Run = { pids: { runner: null, ffmpeg: { pid: 7, startTime: 1 } }, startedAt: 0 };
const world: World = {
  ...{ now: 0, random: 0, startTimeoutMs: 30_000, wanted: true },
  policy: {
    ...{ firstMs: 500, maxMs: 10_000, maxLaterMs: 60_000, youngMs: 300_000 },
    ...{ inputMs: 60_000, limit: 0 },
  },
};
const refused = { reason: "connection-refused", permanent: false, message: "" } as const;
const broken = { reason: "codec-unsupported", permanent: true, message: "" } as const;
const COPY: Tracks = {
  video: { action: "copy", encoder: null, fallback: null },
  audio: { action: "copy" },
};

const counted = async (counters: Counters): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await counters.rows())
      .filter(({ value }) => value !== 0)
      .map(({ name, labels, value }) => {
        const { owner: _, ...rest } = labels;
        const key = [name.slice("streambro_".length, -"_total".length), ...Object.values(rest)];
        return [key.join(" "), value];
      }),
  );

t.test("what a stream's life amounts to, step by step through the real table", async (t) => {
  const start: Event = { type: "start" };
  const prepared: Event = { type: "prepared", run };
  const flowing: Event = { type: "flowing" };
  const stop: Event = { type: "stop" };
  const retry: Event = { type: "timer", timer: "retry" };
  const escalate: Event = { type: "timer", timer: "escalate" };
  const exited = (how: Extract<Event, { type: "exited" }>["how"]): Event => ({
    type: "exited",
    how,
  });
  const alive = { stream_starts: 1, stream_on_air: 1, "encoder_starts copy copy": 1 };
  const rows: readonly (readonly [string, readonly Event[], Record<string, number>])[] = [
    ["nothing yet", [start], {}],
    ["on the air", [start, prepared, flowing, flowing], alive],
    ["stopped", [start, prepared, flowing, stop, exited(refused)], { ...alive, stream_stops: 1 }],
    ["stopped before it started", [start, stop], {}],
    [
      "played to its end",
      [start, prepared, flowing, exited("ended")],
      { ...alive, stream_stops: 1 },
    ],
    [
      "a fresh process is due",
      [start, prepared, flowing, exited("planned")],
      { ...alive, stream_stops: 1 },
    ],
    [
      "restarted by an operator",
      [start, prepared, flowing, { type: "restart" }, exited(refused), prepared, flowing],
      { stream_starts: 2, stream_on_air: 2, stream_stops: 1, "encoder_starts copy copy": 2 },
    ],
    [
      "failed and tried again",
      [start, prepared, exited(refused), retry, prepared, exited(refused)],
      {
        ...{ stream_starts: 2, "stream_failures connection-refused": 2, stream_restarts: 2 },
        "encoder_starts copy copy": 2,
      },
    ],
    [
      "an end nobody expects twice",
      [start, prepared, exited(refused), exited(refused)],
      {
        ...{ stream_starts: 1, "stream_failures connection-refused": 1, stream_restarts: 1 },
        "encoder_starts copy copy": 1,
      },
    ],
    [
      "given up",
      [start, { type: "unprepared", failure: broken }],
      { "stream_failures codec-unsupported": 1 },
    ],
    [
      "nothing was delivered in time",
      [start, prepared, { type: "timer", timer: "start-timeout" }, exited(refused)],
      {
        ...{ stream_starts: 1, "stream_failures no-media": 1, stream_restarts: 1 },
        "encoder_starts copy copy": 1,
      },
    ],
    [
      "a second TERM is no force kill",
      [start, prepared, flowing, stop, escalate, exited(refused)],
      { ...alive, stream_stops: 1 },
    ],
    [
      "KILL is one, however often it is sent",
      [start, prepared, flowing, stop, escalate, escalate, escalate, exited(refused)],
      { ...alive, stream_stops: 1, force_kills: 1 },
    ],
    [
      "taken over, it was counted before",
      [{ type: "adopt", run, flowing: true, streak: { attempt: 0, outageSince: null, kills: [] } }],
      {},
    ],
  ];
  for (const [what, events, expected] of rows) {
    const counters = new Counters(new Registry());
    let state: State = { is: "stopped" };
    for (const event of events) {
      const from: State = state;
      state = transition(from, event, world).state;
      tally(counters, { owner: "anna", tracks: () => COPY }, from, event, state);
    }
    t.same(await counted(counters), expected, what);
  }
});

t.test("encoders by kind", async (t) => {
  const rows: readonly (readonly [string | null, string, string])[] = [
    [null, "copy", "copy"],
    ["libx264", "libx264", "software"],
    ["h264_nvenc", "h264_nvenc", "hardware"],
    ["h264_qsv", "h264_qsv", "hardware"],
    ["h264_videotoolbox", "h264_videotoolbox", "hardware"],
    ["h264_vaapi", "h264_vaapi", "hardware"],
  ];
  for (const [given, encoder, kind] of rows) {
    const counters = new Counters(new Registry());
    const action = given === null ? "copy" : "encode";
    counters.streamStarted("anna", {
      ...COPY,
      video: { action, encoder: given, fallback: null },
    });
    t.equal(
      valueOf(await counters.rows(), COUNTERS.encoderStarts.name, { encoder, kind }),
      1,
      kind,
    );
  }
});

t.test("counters go on from what was kept, as far as they know it", async (t) => {
  const first = new Counters(new Registry());
  first.streamFailed("anna", "killed");
  first.cleanedUp("success", 4_096);
  first.cleanedUp("failure", 0);
  first.limitRefused("ben", "global");
  first.timePassed("anna", 2.5, true);
  first.timePassed("anna", 1, false);
  const second = new Counters(new Registry());
  const others = [
    { name: "streambro_of_another_release_total", labels: {}, value: 3 },
    { name: COUNTERS.starts.name, labels: { owner: "anna", planet: "mars" }, value: 3 },
    { name: COUNTERS.starts.name, labels: {}, value: 3 },
  ];
  t.same(second.restore([...(await first.rows()), ...others]), others, "left for that release");
  const order = ({ name, labels }: { name: string; labels: object }): string =>
    `${name} ${JSON.stringify(labels)}`;
  const sorted = async (counters: Counters): Promise<unknown[]> =>
    (await counters.rows()).toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  t.same(await sorted(second), await sorted(first));
  second.streamFailed("anna", "killed");
  t.same(await counted(second), {
    ...{ "stream_failures killed": 2, "cleanups success": 1, "cleanups failure": 1 },
    ...{ cleanup_freed_bytes: 4_096, "limit_refusals global": 1 },
    ...{ desired_seconds: 3.5, delivering_seconds: 2.5 },
  });
});

t.test("owners without end do not fill the memory", async (t) => {
  const counters = new Counters(new Registry());
  for (let n = 0; n < 1_500; n += 1) counters.streamOnAir(`user${n}`);
  counters.streamOnAir("user3");
  const rows = await counters.rows();
  t.equal(valueOf(rows, COUNTERS.onAir.name), 1_501, "none is lost");
  t.equal(valueOf(rows, COUNTERS.onAir.name, { owner: OTHERS }), 500);
  t.equal(valueOf(rows, COUNTERS.onAir.name, { owner: "user3" }), 2);
});

t.test("the text is what Prometheus reads, whatever an owner is called", async (t) => {
  const registry = new Registry();
  const counters = new Counters(registry);
  const odd = 'an"na\\\n{x="y"},';
  counters.know(odd);
  counters.streamOnAir(odd);
  addGauges(registry, {
    ...{ version: "1.2.3", startedAt: () => 5_000, streams: () => [] },
    limits: () => ({ perUser: 5, global: 20, users: { [odd]: 7 } }),
  });
  const { samples, types } = parseExposition(await registry.metrics());
  t.equal(valueOf(samples, COUNTERS.onAir.name, { owner: odd }), 1);
  t.equal(valueOf(samples, COUNTERS.forceKills.name, { owner: odd }), 0, "a rate has its zero");
  t.equal(valueOf(samples, "streambro_limit", { owner: odd }), 7);
  t.equal(valueOf(samples, "streambro_build_info", { version: "1.2.3" }), 1);
  t.equal(valueOf(samples, "process_start_time_seconds"), 5);
  t.ok((valueOf(samples, "process_resident_memory_bytes") ?? 0) > 1_000_000);
  t.ok((valueOf(samples, "process_cpu_seconds_total") ?? 0) > 0);
  t.ok((valueOf(samples, "process_open_fds") ?? 0) > 3);
  for (const [name, type] of types) {
    t.match(name, /^(streambro|process)_[a-z_]+$/);
    t.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
  }
  const again = parseExposition(await registry.metrics());
  t.ok(
    (valueOf(again.samples, "process_cpu_seconds_total") ?? 0) <
      2 * (valueOf(samples, "process_cpu_seconds_total") ?? 0) + 1,
    "a look does not add to what was looked at",
  );
});
