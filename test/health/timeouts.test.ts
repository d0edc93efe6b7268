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
