import t from "tap";
import { judgeDelivery } from "../../daemon/health/delivery.ts";
import { type Sample, withSample } from "../../daemon/health/samples.ts";
import { type Scenario, looksAt } from "./model.ts";

const STALL_MS = 10_000;
const STARTED = 1_000_000;

/** The seconds at which a stall was told. */
const stalls = (looks: readonly Sample[]): number[] => {
  let samples: readonly Sample[] = [];
  return looks.flatMap((look) => {
    samples = withSample(samples, look);
    const { health } = judgeDelivery(samples, STALL_MS, "a.example");
    return health === "stalled" ? [(look.at - STARTED) / 1_000] : [];
  });
};
const stallsIn = (scenario: Scenario): number[] => stalls(looksAt(scenario));

t.test("a program that reads in bursts some seconds apart takes what is due", async (t) => {
  for (const every of [2, 3, 5, 6, 8, 9]) {
    for (const lookEvery of [0.5, 1, 2]) {
      const looks = { kbps: 600, seconds: 150, receiverBuffer: 2_000_000, lookEvery };
      const found = stallsIn({ ...looks, reads: (at) => (at % every < 0.1 ? 1 : 0) });
      t.same(found, [], `every ${every} s, a look every ${lookEvery} s`);
    }
  }
});

t.test(
  "what was left unread for nine seconds and is read then is no stall afterwards",
  async (t) => {
    for (const kbps of [80, 300, 600]) {
      for (const pause of [8.5, 9, 9.4]) {
        const looks = { kbps, seconds: 100, lookEvery: 0.5, receiverBuffer: 1_500_000 };
        const reads = (at: number): number => (at > 40 && at < 40 + pause ? 0 : 1);
        t.same(stallsIn({ ...looks, reads }), [], `${kbps} kbit/s, ${pause} s`);
      }
    }
  },
);

t.test("what comes due at once after a quiet time is not missing since then", async (t) => {
  const connection = (acked: number, window: number): Sample["connection"] => ({
    ...{ acked, window, backlog: 0, rttMs: 1, retransmits: 0, ends: [] },
  });
  /** From 40 s on `quiet` bytes a second; from 50 s on as before, with what was held back; read until then. */
  const looks = (quiet: number, held: number, until: number): Sample[] =>
    Array.from({ length: 160 }, (_, n) => {
      const at = n / 2;
      const wrote = Math.min(at, 40) * 100_000 + Math.max(0, Math.min(at, 50) - 40) * quiet;
      const written = wrote + (at < 50 ? 0 : held + (at - 50) * 100_000);
      const isRead = at < 50 || at >= until;
      const window = isRead ? 8_000_000 : 8_000_000 - (written - wrote);
      return {
        ...{ at: STARTED + at * 1_000, mediaMs: at * 1_000, written },
        connection: connection(written, window),
      };
    });
  for (const [what, quiet, held] of [
    ["a seam", 0, 1_000_000],
    ["a still picture", 2_000, 0],
  ] as const) {
    t.same(stalls(looks(quiet, held, 58)), [], `${what}, and a pause of eight seconds after it`);
    const [first = Infinity] = stalls(looks(quiet, held, Infinity));
    t.ok(first >= 58 && first <= 61, `${what}, and a receiver that reads no more: ${first}`);
  }
});

t.test(
  "FFmpeg's progress tells little of it, and the receiver has all there is: no stall",
  async (t) => {
    /** Ten times as much for 30 s as in the quiet time after; then nothing at all from 80 s on. */
    const arrived = (at: number): number =>
      Math.min(at, 30) * 250_000 + Math.max(0, at - 30) * 4_000;
    const looks = (mediaMs: (at: number) => number | null, end: number): Sample[] =>
      Array.from({ length: 110 }, (_, at) => {
        const acked = Math.round(arrived(Math.min(at, end)));
        const [media, connection] = [
          mediaMs(Math.min(at, end)),
          { acked, window: 60_000, backlog: 0, rttMs: 1, retransmits: 0, ends: [] },
        ];
        const written = media === null ? null : media === 5_000 ? 1_250_000 : acked;
        return { at: STARTED + at * 1_000, mediaMs: media, written, connection };
      });
    const slow = (at: number): number => Math.min(at, 30) * 1_000 + Math.max(0, at - 30) * 400;
    for (const [what, mediaMs] of [
      ["never heard", () => null],
      ["fallen silent", () => 5_000],
      ["a slow encoder", slow],
    ] as const) {
      t.same(stalls(looks(mediaMs, Infinity)), [], what);
      const [first = Infinity] = stalls(looks(mediaMs, 80));
      t.ok(first >= 88 && first <= 92, `${what}, and then FFmpeg hangs: ${first}`);
    }
  },
);

t.test("a pause is measured from its beginning, however far apart the looks were", async (t) => {
  for (let phase = 0; phase < 2; phase += 0.2) {
    const looks = { kbps: 600, seconds: 60, receiverBuffer: 1_500_000, lookEvery: 2 };
    const stopped = 20 + phase;
    const [first = Infinity] = stallsIn({ ...looks, reads: (at) => (at < stopped ? 1 : 0) });
    const after = first - stopped;
    t.ok(after > 9 && after < 14, `${after} s`);
  }
});

t.test("after a pause nothing is sent for a while: nobody knows, and it is no stall", async (t) => {
  const looks = Array.from({ length: 140 }, (_, n): Sample => {
    const at = n / 2;
    // Unread from 30 s on; from 34 s to 44 s a seam holds everything back.
    const acked = (at < 34 ? at : at < 44 ? 34 : at) * 80_000;
    const window =
      at < 30 ? 800_000 : at < 44 ? 800_000 - (Math.min(at, 34) - 30) * 70_000 : 800_000;
    const connection = { acked, window, backlog: 0, rttMs: 1, retransmits: 0, ends: [] };
    return { at: STARTED + at * 1_000, mediaMs: at * 1_000, written: acked, connection };
  });
  t.same(stalls(looks), []);
});

t.test("where FFmpeg's progress has been silent for long, its pace is not known", async (t) => {
  let samples: readonly Sample[] = [];
  for (let at = 0; at < 200; at += 1) {
    const connection = { acked: at * 80_000, window: 60_000, backlog: 0, rttMs: 1, retransmits: 0 };
    const told = { mediaMs: Math.min(at, 20) * 1_000, written: Math.min(at, 20) * 80_000 };
    const look = { at: STARTED + at * 1_000, ...told, connection: { ...connection, ends: [] } };
    samples = withSample(samples, look);
    const { health, why } = judgeDelivery(samples, STALL_MS, "a.example");
    if (health !== "delivering") t.fail(`${at} s: ${health}: ${why}`);
  }
});

t.test("an FFmpeg that hangs in its first second is noticed too", async (t) => {
  const looks = Array.from({ length: 80 }, (_, n): Sample => {
    const connection = {
      acked: n === 0 ? 47_000 : 50_000,
      window: 60_000,
      backlog: 0,
      rttMs: 1,
      retransmits: 0,
    };
    const ends = { connection: { ...connection, ends: [] }, written: 48_000, mediaMs: 700 };
    return { at: STARTED + n * 500, ...ends };
  });
  const [first = Infinity] = stalls(looks);
  t.ok(first >= 9 && first <= 12, String(first));
});

/** Looks at a receiver whose window does nothing but shrink, by so much of what arrives; `rttMs` by second. */
const shrinking = (rttMs: (at: number) => number, minRttMs: number | null): Sample[] =>
  Array.from({ length: 60 }, (_, n) => {
    const acked = 8_900_000 + n * 26_000;
    const window = Math.max(0, 3_400_000 - n * 16_000);
    const told = { acked, window, backlog: 0, rttMs: rttMs(n / 2), minRttMs, retransmits: 0 };
    const connection = { ...told, ends: [], segments: n * 45, grain: 1_024 };
    const at = n * 500;
    return { at: STARTED + at, mediaMs: 169_000 + at, written: acked + 62_000, connection };
  });

t.test("a window that its kernel takes back, while what arrives is answered at once", async (t) => {
  // As seen after a pause: 3.4 MB were offered, and taken back by 0.6 of what arrived and was read.
  t.same(stalls(shrinking(() => 0.08, 0.01)), [], "is no stall");
  t.same(stalls(shrinking((at) => (at % 5 < 0.5 ? 30 : 25.3), 25)), [], "nor far away");
  t.same(stalls(shrinking((at) => (at % 4 < 1 ? 20 : 1), 0.01)), [], "nor on a busy machine");
});

t.test(
  "a window that shrinks while answers are put off is a stall within eleven seconds",
  async (t) => {
    // As seen of a receiver that is stopped: for a second it answers as before, then after 40 ms.
    for (const [what, looks] of [
      ["near", shrinking((at) => (at < 1.5 ? 0.08 : 44), 0.01)],
      ["far away", shrinking((at) => (at < 1.5 ? 25.4 : 66), 25)],
      ["an ss that does not tell", shrinking(() => 0.08, null)],
    ] as const) {
      const [first = Infinity] = stalls(looks);
      t.ok(first >= 9.5 && first <= 11, `${what}: ${first}`);
    }
  },
);

t.test("what a dead network leaves of round-trip times is old, and no answer", async (t) => {
  const looks = shrinking(() => 0.08, 0.01).map((look, n, all): Sample => {
    const { acked = 0, window = 0 } = all[Math.min(n, 10)]?.connection ?? {};
    const backlog = Math.max(0, n - 10) * 26_000;
    return {
      ...look,
      connection: look.connection && { ...look.connection, acked, window, backlog },
    };
  });
  const [first = Infinity] = stalls(looks);
  t.ok(first >= 12.5 && first <= 16.5, `dead after 5 s, told at ${first} s`);
});
