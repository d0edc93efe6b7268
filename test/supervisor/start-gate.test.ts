import t from "tap";
import { type Rank, StartGate, type Turn } from "../../daemon/supervisor/start-gate.ts";
import { StartTurn } from "../../daemon/supervisor/start-turn.ts";
import { NO_STREAK, type Run, type State } from "../../daemon/supervisor/state.ts";
import { FakeClock } from "../helpers/fake-clock.ts";

const make = (most: number) => {
  const clock = new FakeClock();
  const ending = new AbortController();
  const bound = { most };
  const gate = new StartGate({ clock, ending: ending.signal, most: () => bound.most });
  const began: string[] = [];
  const enter = (name: string, rank: Rank = "fresh"): Turn => {
    const turn = gate.enter(rank, name);
    void turn.came.then((came) => came && began.push(name));
    return turn;
  };
  return { clock, ending, bound, gate, began, enter };
};

const settled = async (): Promise<void> => {
  for (let at = 0; at < 5; at += 1) await Promise.resolve();
};

t.test("of two hundred the first begin at once, the others as there is room", async (t) => {
  const { began, enter } = make(4);
  const names = Array.from({ length: 200 }, (_, at) => `s${at}`);
  const turns = names.map((name) => enter(name));
  await settled();
  t.same(began, names.slice(0, 4), "nobody waits for the crowd behind");
  t.same(
    [0, 3, 4, 104, 199].map((at) => turns[at]?.ahead()),
    [null, null, 0, 100, 195],
    "and those who wait know for how many",
  );
  for (const turn of turns) {
    turn.leave();
    turn.leave();
    await settled();
  }
  t.same(began, names, "in their order, each once, and none is forgotten");
});

t.test("what somebody asks for goes first, what was refused before goes last", async (t) => {
  const { began, enter } = make(1);
  const first = enter("first");
  const turns = [enter("again", "again"), enter("boot"), enter("hurried"), enter("asked", "asked")];
  turns[2]?.hurry();
  turns[2]?.hurry();
  t.same(
    turns.map((turn) => turn.ahead()),
    [3, 2, 1, 0],
    "what is hurried comes behind what was asked for before",
  );
  for (const turn of [first, turns[3], turns[2], turns[1]]) {
    turn?.leave();
    await settled();
  }
  t.same(began, ["first", "asked", "hurried", "boot", "again"]);
});

t.test("one that hangs holds up nobody for longer than five seconds", async (t) => {
  const { clock, began, enter } = make(2);
  for (const name of ["hangs", "hangs too", "a", "b", "c"]) enter(name);
  clock.pass(4_999);
  await settled();
  t.same(began, ["hangs", "hangs too"]);
  clock.pass(1);
  await settled();
  t.same(began, ["hangs", "hangs too", "a", "b"]);
  clock.pass(5_000);
  await settled();
  t.equal(began.at(-1), "c");
  clock.pass(5_000);
  t.equal(clock.waiting, 0, "no timer is left");
});

t.test("one that leaves while it waits never begins, and one let through begins now", async (t) => {
  const { began, enter, gate } = make(1);
  const inside = enter("inside");
  const leaver = enter("leaver");
  enter("other");
  enter("owner");
  leaver.leave();
  t.equal(await leaver.came, false);
  gate.letThrough("owner");
  await settled();
  t.same(began, ["inside", "owner"]);
  inside.leave();
  await settled();
  t.same(began, ["inside", "owner"], "over the bound until both have left");
});

t.test(
  "a bound that is raised counts from the next one, the daemon's end lets all go",
  async (t) => {
    const { began, enter, bound, ending } = make(1);
    const first = enter("a");
    for (const name of ["b", "c", "d", "e"]) enter(name);
    bound.most = 3;
    first.leave();
    await settled();
    t.same(began, ["a", "b", "c", "d"]);
    ending.abort();
    enter("f");
    await settled();
    t.same(began, ["a", "b", "c", "d", "e", "f"]);
  },
);

const run: Run = { pids: { runner: null, ffmpeg: { pid: 9, startTime: 1 } }, startedAt: 0 };
const preparing: State = { is: "preparing", streak: NO_STREAK, byOperator: false };
const stopping: State = {
  ...{ is: "stopping", run: null, next: "rest", force: "no", failure: null, streak: NO_STREAK },
};

t.test("a stream's turn ends when FFmpeg was launched, or at its failure", async (t) => {
  const { clock, gate, enter, began } = make(1);
  const turn = new StartTurn(gate, clock);
  t.equal(await turn.take(preparing), true);
  t.equal(turn.isQueued, false);
  enter("next");
  turn.follow({ is: "starting", run, streak: NO_STREAK });
  clock.pass(249);
  await settled();
  t.same(began, []);
  clock.pass(1);
  await settled();
  t.same(began, ["next"]);

  const other = new StartTurn(gate, clock);
  const waiting = other.take(preparing);
  t.match(other, { isQueued: true, ahead: 0 });
  other.follow(stopping);
  t.equal(await waiting, false, "stopped while it waits: at once");
  t.match(other, { isQueued: false, ahead: null });
});

t.test("a stop during the preparation leaves the turn to what is still at work", async (t) => {
  const { clock, gate, enter, began } = make(1);
  const turn = new StartTurn(gate, clock);
  await turn.take(preparing);
  enter("next");
  turn.follow(stopping);
  await settled();
  t.same(began, []);
  turn.follow({ is: "stopped" });
  await settled();
  t.same(began, ["next"]);
});

t.test("a stream is ranked by who wants it and by how often it has failed", async (t) => {
  const { clock, gate, enter, began } = make(1);
  const inside = enter("inside");
  const take = (name: string, state: State, wasOnAir = false): StartTurn => {
    const turn = new StartTurn(gate, clock);
    if (wasOnAir) turn.follow({ is: "live", run, streak: NO_STREAK });
    void turn.take(state).then((came) => came && began.push(name));
    return turn;
  };
  const failed = (attempt: number): State => ({
    ...preparing,
    streak: { attempt, outageSince: 1, kills: [] },
  });
  const turns = [
    take("refused again", failed(3)),
    take("boot", preparing),
    take("was on the air", failed(4), true),
    take("operator", { ...preparing, byOperator: true }),
  ];
  inside.leave();
  await settled();
  for (const at of [3, 2, 1]) {
    turns[at]?.end();
    await settled();
  }
  t.same(began, ["inside", "operator", "was on the air", "boot", "refused again"]);
});
