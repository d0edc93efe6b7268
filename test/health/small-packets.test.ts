import t from "tap";
import { judgeDelivery } from "../../daemon/health/delivery.ts";
import { type Sample, withSample } from "../../daemon/health/samples.ts";

/**
 * 68 kbit/s in packets of some 300 bytes, to a receiver that is stopped at 18.8 s: seconds, bytes
 * acknowledged, window. Measured on Linux 6.18, where the window comes in multiples of 1,024.
 */
const MEASURED: readonly (readonly [at: number, acked: number, window: number])[] = [
  [4.6, 19661, 105472],
  [5.6, 30134, 105472],
  [6.6, 38749, 105472],
  [7.6, 47325, 105472],
  [8.6, 55572, 105472],
  [9.6, 63509, 105472],
  [10.7, 72516, 140288],
  [11.7, 81041, 140288],
  [12.7, 88447, 140288],
  [13.7, 96535, 140288],
  [14.7, 104343, 140288],
  [15.8, 111963, 140288],
  [16.8, 119951, 140288],
  [17.8, 128822, 140288],
  [18.9, 136984, 140288],
  [19.9, 146208, 139264],
  [21.0, 155196, 138240],
  [22.1, 165335, 136192],
  [23.1, 173283, 136192],
  [24.1, 185230, 131072],
  [25.2, 193267, 131072],
  [26.2, 204533, 129024],
  [27.3, 213229, 128000],
  [28.4, 222281, 128000],
  [29.4, 230395, 126976],
  [30.5, 238450, 126976],
  [31.5, 247513, 125952],
  [32.6, 255611, 125952],
  [33.6, 264128, 124928],
  [34.6, 272236, 124928],
  [35.7, 279280, 123904],
  [36.8, 287728, 123904],
  [38.0, 297869, 121856],
  [39.1, 306802, 121856],
  [40.2, 317727, 120832],
  [41.3, 327807, 117760],
  [42.4, 336860, 117760],
  [43.4, 346560, 114688],
];
const STOPPED = 18.8;

const verdicts = (
  looks: readonly (readonly [number, number, number])[],
): { readonly at: number; readonly health: string }[] => {
  let samples: readonly Sample[] = [];
  return looks.map(([at, acked, window]) => {
    const connection = {
      ...{ acked, window, backlog: 0, rttMs: 1, retransmits: 0, ends: [] },
      ...{ segments: Math.round(acked / 300), grain: 1_024 },
    };
    const look = { at: at * 1_000, mediaMs: at * 1_000, written: acked, connection };
    samples = withSample(samples, look);
    return { at, health: judgeDelivery(samples, 10_000, "a.example").health };
  });
};

t.test("a receiver that stops reading small packets is noticed", async (t) => {
  const said = verdicts(MEASURED);
  const { at = Infinity } = said.find(({ health }) => health === "stalled") ?? {};
  t.ok(at > STOPPED + 9 && at < STOPPED + 13, `stalled at ${at} s`);
});

t.test("one that reads is not taken for it", async (t) => {
  const good = MEASURED.filter(([at]) => at < STOPPED);
  const wrong = (looks: readonly (readonly [number, number, number])[]): unknown[] =>
    verdicts(looks).filter(({ health }) => health !== "delivering");
  t.same(wrong(good), []);
  // Where it reads again after nine seconds, its window is as before.
  const [early, late] = [MEASURED.filter(([at]) => at < 28), [29, 30, 31, 32, 33]];
  const paused = late.map((at) => [at, 228_000 + (at - 29) * 8_000, 140_288] as const);
  for (const from of [18, 16.5])
    t.same(wrong([...early.filter(([at]) => at < from || at > 18.5), ...paused]), []);
  const long = Array.from({ length: 60 }, (_, n) => [n, n * 8_000, 140_288] as const);
  t.same(wrong(long), []);
  const taken = long.map(([at, acked, window]) => [at, acked, at < 30 ? window : 40_960] as const);
  t.same(wrong(taken), [], "nor where its kernel takes some of the window back");
  const bursts = long.map(([at, acked, window]) => [at, acked, window - 1_024 * (at % 8)] as const);
  t.same(wrong(bursts), [], "nor where it reads every eight seconds");
});
