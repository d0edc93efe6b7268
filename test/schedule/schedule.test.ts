import t from "tap";
import { parseMoment } from "../../cli/moment.ts";
import { Schedule } from "../../daemon/schedule/schedule.ts";
import { stopTime } from "../../daemon/schedule/stop-time.ts";
import { FakeClock } from "../helpers/fake-clock.ts";

const DAY_MS = 86_400_000;

const make = (): { clock: FakeClock; schedule: Schedule; due: string[] } => {
  const clock = new FakeClock();
  const due: string[] = [];
  return { clock, due, schedule: new Schedule(clock, (stream) => void due.push(stream)) };
};

t.test("each stream is due once, at its time", async (t) => {
  const { clock, schedule, due } = make();
  schedule.set("late", clock.now() + 40 * DAY_MS);
  schedule.set("soon", clock.now() + 5_000);
  schedule.set("never", clock.now() + 6_000);
  schedule.set("never", null);
  clock.pass(4_999);
  t.same(due, []);
  clock.pass(1);
  t.same(due, ["soon"]);
  clock.pass(40 * DAY_MS);
  t.same(due, ["soon", "late"], "longer than one timer can wait");
  t.equal(clock.waiting, 0);
});

t.test("another time takes the place of the one before", async (t) => {
  const { clock, schedule, due } = make();
  schedule.set("radio", clock.now() + 1_000);
  schedule.set("radio", clock.now() + 60_000);
  clock.pass(59_999);
  t.same(due, []);
  clock.pass(1);
  t.same(due, ["radio"]);
});

t.test("a time that has passed is due at once", async (t) => {
  const { clock, schedule, due } = make();
  schedule.set("radio", clock.now() - 1);
  t.same(due, [], "but not within the command that set it");
  clock.pass(0);
  t.same(due, ["radio"]);
});

t.test("it goes by the wall clock, however that is set", async (t) => {
  const { clock, schedule, due } = make();
  schedule.set("radio", clock.now() + DAY_MS);
  clock.aheadMs = -DAY_MS;
  clock.pass(DAY_MS + 60_000);
  t.same(due, [], "set back by a day: a day later");
  clock.aheadMs = 3 * DAY_MS;
  clock.pass(15_000);
  t.same(due, ["radio"], "set ahead: noticed within fifteen seconds");
});

t.test("cleared, nothing happens any more", async (t) => {
  const { clock, schedule, due } = make();
  schedule.set("a", clock.now() + 1_000);
  schedule.set("b", clock.now() + 2_000);
  t.equal(schedule.clearAll(), 2);
  t.equal(clock.waiting, 0);
  clock.pass(DAY_MS);
  t.same(due, []);
});

t.test("what a start says becomes a time, or a sentence", async (t) => {
  const now = Date.parse("2026-03-04T12:00:00Z");
  t.same(stopTime({ name: "a" }, now), { stopAt: null, stopBy: null });
  const timed = stopTime({ name: "a", forMs: 5_000 }, now);
  t.match(timed, { stopAt: now + 5_000, stopBy: { bootId: /-/, uptimeMs: Number } });
  t.same(stopTime({ name: "a", until: "2026-03-04T12:00:01Z" }, now), {
    ...{ stopAt: now + 1_000, stopBy: null },
  });
  for (const until of ["2026-03-04T12:00:00Z", "1999-01-01T00:00:00Z"])
    t.throws(() => stopTime({ name: "a", until }, now), {
      code: "INVALID_SPEC",
      message: /^a: not started: .* has passed/,
    });
  t.throws(() => stopTime({ name: "a", forMs: 1, until: "2026-03-05T00:00:00Z" }, now), /not both/);
});

t.test("moments as people write them", async (t) => {
  const zone = process.env["TZ"];
  t.teardown(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });
  process.env["TZ"] = "Europe/Berlin";
  const at = (text: string, now = "2026-03-04T12:00:00Z"): string | null =>
    parseMoment(text, Date.parse(now));
  t.equal(at("23:00"), "2026-03-04T22:00:00.000Z");
  t.equal(at("13:00"), "2026-03-05T12:00:00.000Z", "now itself is tomorrow");
  t.equal(at("13:00:01"), "2026-03-04T12:00:01.000Z");
  t.equal(at("9:30"), "2026-03-05T08:30:00.000Z");
  t.equal(at("9:30", "2026-03-28T12:00:00Z"), "2026-03-29T07:30:00.000Z", "the clocks change");
  t.equal(at("2026-12-31"), "2026-12-30T23:00:00.000Z");
  t.equal(at("2026-07-01 20:15"), "2026-07-01T18:15:00.000Z");
  t.equal(at("2026-07-01T20:15:30"), "2026-07-01T18:15:30.000Z");
  t.equal(at("2026-07-01T20:15:30Z"), "2026-07-01T20:15:30.000Z");
  t.equal(at("2026-07-01T20:15+07:00"), "2026-07-01T13:15:00.000Z");
  for (const wrong of [
    "",
    "soon",
    "24:00",
    "12:60",
    "2026-02-30",
    "2026-02-30T12:00Z",
    "2026-04-31T23:30-02:00",
    "2026-07-01T20:15+99:00",
    "2026-13-01",
    "12",
    "23.00",
    "-1:00",
  ])
    t.equal(at(wrong), null, JSON.stringify(wrong));
});
