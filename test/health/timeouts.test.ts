import t from "tap";
import { Evidence } from "../../daemon/health/evidence.ts";
import { type Scenario, looksAt } from "./model.ts";

/** When a stall is first told, in seconds; null where none is. */
const stalledAt = (scenario: Scenario, stallMs: number): number | null => {
  const evidence = new Evidence(false);
  for (const { at, mediaMs, written, connection } of looksAt(scenario)) {
    const report = { outTimeMs: mediaMs, totalBytes: written, ended: false };
    evidence.see(at, { ...report, frame: 1, fps: 25, speed: 1 }, connection);
    evidence.judge(stallMs);
    if (evidence.deliveryAt(at).health === "stalled") return (at - 1_000_000) / 1_000;
  }
  return null;
};

t.test("every stall timeout that may be set is kept", async (t) => {
  for (const seconds of [2, 10, 60, 61, 120, 600]) {
    const looks = { kbps: 1_000, seconds: 30 + seconds + 60, lookEvery: seconds > 10 ? 2 : 0.5 };
    const at = stalledAt({ ...looks, reads: (s) => (s < 30 ? 1 : 0) }, seconds * 1_000);
    // Sooner where FFmpeg is held up for so long that what it used to write is due.
    t.ok(at !== null && at >= 20 + seconds * 0.9 && at <= 33.5 + seconds, `${seconds} s: ${at}`);
    const good = stalledAt({ ...looks, reads: () => 1 }, seconds * 1_000);
    t.equal(good, null, "and nothing else is one");
  }
});

t.test("a single look is no stall, however short the timeout", async (t) => {
  const evidence = new Evidence(false);
  for (let n = 0; n < 40; n += 1) {
    // Much, then little; and where that changes, a window that is once a little smaller.
    const acked = n < 20 ? n * 2_000_000 : 38_000_000 + (n - 19) * 6_000;
    const connection = { acked, window: n < 20 ? 2_134_016 : 2_127_872, backlog: 0, rttMs: 1 };
    const report = { outTimeMs: n * 2_000, totalBytes: acked, ended: false };
    const said = { ...report, frame: 1, fps: 25, speed: 1 };
    evidence.see(n * 2_000, said, { ...connection, retransmits: 0, ends: [] });
    evidence.judge(2_000);
    t.not(evidence.deliveryAt(n * 2_000).health, "stalled", String(n));
  }
});
