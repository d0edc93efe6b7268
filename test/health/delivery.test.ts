import t from "tap";
import { type Delivery, isDoubtful, judgeDelivery } from "../../daemon/health/delivery.ts";
import { type Sample, withSample } from "../../daemon/health/samples.ts";
import { seeded } from "../helpers/seeded.ts";
import { type Scenario, looksAt } from "./model.ts";

const HOST = "a.example:1935";
const STALL_MS = 10_000;

type Said = Delivery & { readonly at: number };

/** The verdict at each look, with its time in seconds. */
const verdicts = (looks: readonly Sample[]): Said[] => {
  let samples: readonly Sample[] = [];
  return looks.map((look) => {
    samples = withSample(samples, look);
    return { ...judgeDelivery(samples, STALL_MS, HOST), at: (look.at - 1_000_000) / 1000 };
  });
};

const firstOf = (said: readonly Said[], health: string): number | null =>
  said.find((one) => one.health === health)?.at ?? null;

const judge = (scenario: Scenario): Said[] => verdicts(looksAt(scenario));

t.test(
  "a receiver that stops reading is stalled ten seconds later, whatever the bitrate",
  async (t) => {
    for (const kbps of [100, 300, 629, 1_500, 4_000, 20_000]) {
      for (const receiverBuffer of [64_000, 200_000, 1_000_000, 6_000_000]) {
        for (const cost of [0.5, 0.93, 1.3]) {
          const said = judge({
            ...{ kbps, receiverBuffer, cost, seconds: 40, lookEvery: 0.5 },
            reads: (at) => (at < 20 ? 1 : 0),
          });
          const at = firstOf(said, "stalled") ?? Infinity;
          t.ok(at >= 28.5 && at <= 31, `${kbps} kbit/s, ${receiverBuffer} B at ${cost}: ${at} s`);
        }
      }
    }
  },
);

t.test("without the window, when the receiver's kernel is full", async (t) => {
  const said = judge({
    ...{ kbps: 629, seconds: 60, lookEvery: 0.5, tellsWindow: false },
    reads: (at) => (at < 20 ? 1 : 0),
  });
  const at = firstOf(said, "stalled") ?? Infinity;
  t.ok(at >= 30 && at <= 33.5, `2.5 s to fill it, and ten: ${at} s`);
});

t.test("a network that passes nothing", async (t) => {
  const said = judge({
    ...{ kbps: 2_000, seconds: 60, lookEvery: 0.5, reads: () => 1 },
    passes: (at) => at < 20,
  });
  const at = firstOf(said, "stalled") ?? Infinity;
  t.ok(at >= 28.5 && at <= 31, String(at));
  const why = said.find(({ health }) => health === "stalled")?.why ?? "";
  t.match(why, /^a\.example:1935 has taken nothing for 10 s; [\d.]+ [kM]B wait to be sent$/);
});

t.test("a pause shorter than the timeout is none, nor is what comes after it", async (t) => {
  for (const pause of [2, 5, 8]) {
    for (const kbps of [300, 4_000, 20_000]) {
      const looks = { kbps, seconds: 120, lookEvery: 0.5 };
      const still = judge({ ...looks, reads: (at) => (at > 70 && at < 70 + pause ? 0 : 1) });
      const lost = judge({ ...looks, reads: () => 1, passes: (at) => at < 70 || at > 70 + pause });
      for (const said of [still, lost]) {
        t.same(
          said.filter(({ health }) => health !== "delivering"),
          [],
          `${pause} s at ${kbps} kbit/s`,
        );
      }
    }
  }
});

t.test("what trickles is nothing; a fifth of it is slow, and no stall", async (t) => {
  const at = (part: number): Said[] =>
    judge({ kbps: 2_000, seconds: 200, lookEvery: 1, reads: (s) => (s < 20 ? 1 : part) });
  t.not(firstOf(at(0.05), "stalled"), null);
  t.equal(firstOf(at(0.2), "stalled"), null);
  t.not(firstOf(at(0.2), "congested"), null);
});

t.test("a receiver that is too slow is congested within a minute and a half", async (t) => {
  for (const part of [0.5, 0.8, 0.9]) {
    for (const kbps of [600, 4_000]) {
      const said = judge({ kbps, seconds: 300, reads: (at) => (at < 60 ? 1 : part) });
      const at = firstOf(said, "congested") ?? Infinity;
      t.ok(at > 100 && at <= 160, `${part} of ${kbps} kbit/s: ${at} s`);
      t.equal(firstOf(said, "stalled"), null);
      t.match(said.at(-1)?.why, /takes only 0\.\d\dx of what is due, [\d.]+ [kM]B behind/);
    }
  }
  const over = judge({ kbps: 4_000, seconds: 400, reads: (at) => (at > 60 && at < 180 ? 0.8 : 1) });
  t.equal(over.at(-1)?.health, "delivering", "and that it is over is noticed");
});

t.test("a machine that is too slow is told from a network that is", async (t) => {
  const said = judge({
    kbps: 3_000,
    seconds: 200,
    reads: () => 1,
    makes: (at) => (at < 30 ? 1 : 0.6),
  });
  t.match(said.at(-1), { health: "congested", why: /^FFmpeg comes along at only 0\.\d\dx/ });
});

t.test("a stream that flows is never anything but delivering", async (t) => {
  const { seed, random } = seeded();
  t.comment(`seed ${seed}`);
  for (let round = 0; round < 60; round += 1) {
    const kbps = 80 + random() * 20_000;
    const lookEvery = 0.5 + random() * 2.5;
    const receiverBuffer = 60_000 + random() * 4_000_000;
    const hiccup = random() * 4;
    const every = 20 + random() * 60;
    const said = judge({
      ...{ kbps, lookEvery, receiverBuffer, seconds: 180 },
      reads: (at) => (at % every < hiccup ? 0 : 1),
    });
    const wrong = said.filter(({ health }) => health !== "delivering");
    if (wrong.length > 0)
      t.fail(`${JSON.stringify({ kbps, lookEvery, hiccup, every })}: ${wrong[0]?.why}`);
  }
});

const still = (at: number, fields: Partial<Sample> = {}): Sample => ({
  at: at * 1_000,
  mediaMs: at * 1_000,
  written: at * 100_000,
  connection: {
    ...{ acked: at * 100_000, window: 60_000, backlog: 0 },
    ...{ rttMs: 1, retransmits: 0, ends: [] },
  },
  ...fields,
});
const series = (seconds: number, make: (at: number) => Sample): Sample[] =>
  Array.from({ length: seconds }, (_, at) => make(at));
const last = (looks: readonly Sample[]): Said | undefined => verdicts(looks).at(-1);
const connection = (acked: number, window = 60_000, backlog = 0): Sample["connection"] => ({
  ...{ acked, window, backlog, rttMs: 1, retransmits: 0, ends: [] },
});

t.test("FFmpeg's progress can fall silent for ever while bytes arrive: no stall", async (t) => {
  const looks = series(100, (at) =>
    at < 50 ? still(at) : still(at, { mediaMs: 49_000, written: 4_900_000 }),
  );
  t.equal(last(looks)?.health, "delivering");
  const adopted = series(100, (at) => still(at, { mediaMs: null, written: null }));
  t.equal(last(adopted)?.health, "delivering", "nor where it was never heard");
  const gone = series(100, (at) =>
    still(at, {
      ...{ mediaMs: null, written: null },
      connection: connection(Math.min(at, 50) * 100_000, 0, 90_000),
    }),
  );
  t.equal(last(gone)?.health, "stalled", "but that the bytes have stopped is seen there too");
});

t.test("FFmpeg that writes nothing is a stall, and is told as such", async (t) => {
  const hung = series(40, (at) => {
    const to = Math.min(at, 20);
    return still(at, {
      mediaMs: to * 1_000,
      written: to * 100_000,
      connection: connection(to * 100_000),
    });
  });
  t.match(last(hung), { health: "stalled", why: /^FFmpeg has sent nothing for 10 s: its input/ });
});

t.test("a still picture needs few bytes, and a seam holds them back: no stall", async (t) => {
  const quiet = series(100, (at) => {
    const bytes = Math.min(at, 50) * 500_000 + Math.max(0, at - 50) * 2_000;
    return still(at, { written: bytes, connection: connection(bytes) });
  });
  t.equal(last(quiet)?.health, "delivering");
  const held = series(70, (at) => {
    const bytes = Math.min(at, 50) * 100_000;
    return still(at, { written: bytes, connection: connection(bytes) });
  });
  t.equal(last(held)?.health, "delivering", "media goes on and nothing is due");
});

t.test("without the kernel FFmpeg's progress alone is judged", async (t) => {
  const said = (seconds: number, mediaS: (at: number) => number): string | undefined =>
    last(series(seconds, (at) => still(at, { connection: null, mediaMs: mediaS(at) * 1000 })))
      ?.health;
  t.equal(
    said(90, (at) => at),
    "delivering",
  );
  t.equal(
    said(40, (at) => Math.min(at, 25)),
    "stalled",
  );
  t.equal(
    said(90, (at) => at * 0.7),
    "congested",
  );
});

t.test("time in which nobody looked is not judged", async (t) => {
  const looks = [
    ...series(30, (at) => still(at)),
    // The machine stood still for a minute, and so did FFmpeg.
    ...[90, 91, 92].map((at) =>
      still(at, { mediaMs: 29_500, written: 2_950_000, connection: connection(2_950_000) }),
    ),
  ];
  t.equal(last(looks)?.health, "delivering");
  const clock = [still(50), still(51), still(3), still(4)];
  t.equal(last(clock)?.health, "delivering", "nor does a look out of order upset it");
});

t.test("a receiver that reads half of what is due is slow, and not stalled", async (t) => {
  for (const cost of [0.5, 0.93]) {
    const said = judge({
      ...{ kbps: 1_500, seconds: 200, lookEvery: 1, receiverBuffer: 300_000, cost },
      reads: (at) => (at < 20 ? 1 : 0.5),
    });
    t.equal(firstOf(said, "stalled"), null);
    t.equal(said.at(-1)?.health, "congested");
  }
});

t.test("a window that is taken back does not look like a stall", async (t) => {
  const looks = series(60, (at) =>
    still(at, { connection: connection(at * 100_000, at < 30 ? 4_000_000 : 30_000) }),
  );
  t.same(
    verdicts(looks).filter(({ health }) => health !== "delivering"),
    [],
  );
});

t.test("what may become a stall is looked at closely, and little is kept", async (t) => {
  let samples: readonly Sample[] = [];
  for (const look of looksAt({
    kbps: 2_000,
    seconds: 25,
    lookEvery: 0.5,
    reads: (at) => (at < 20 ? 1 : 0),
  }))
    samples = withSample(samples, look);
  t.ok(isDoubtful(samples));
  t.notOk(isDoubtful(series(20, (at) => still(at))));
  t.notOk(isDoubtful([]));
  let many: readonly Sample[] = [];
  for (let n = 0; n < 5_000; n += 1) many = withSample(many, still(n / 20));
  t.ok(many.length < 140 && many.length > 100, String(many.length));
  const [first, end] = [many[0]?.at ?? 0, many.at(-1)?.at ?? 0];
  t.ok(end - first >= 60_000 && end - first < 62_000);
});
