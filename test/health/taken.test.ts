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

t.test("what was left unread for nine seconds and is read then is no stall afterwards", async (t) => {
  for (const kbps of [80, 300, 600]) {
    for (const pause of [8.5, 9, 9.4]) {
      const looks = { kbps, seconds: 100, lookEvery: 0.5, receiverBuffer: 1_500_000 };
      const reads = (at: number): number => (at > 40 && at < 40 + pause ? 0 : 1);
      t.same(stallsIn({ ...looks, reads }), [], `${kbps} kbit/s, ${pause} s`);
    }
  }
});
