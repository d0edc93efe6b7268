import type { Sample } from "../../daemon/health/samples.ts";

/** A connection as TCP would have it: FFmpeg writes, two kernels hold what is on its way, a program reads. */
export type Scenario = {
  /** Of the media. */
  readonly kbps: number;
  readonly seconds: number;
  /** What part of real time the receiver's program reads, at a time in seconds: 1 is all that comes. */
  readonly reads: (at: number) => number;
  /** False while the network passes nothing. */
  readonly passes?: (at: number) => boolean;
  /** FFmpeg's own pace; less than 1 where the machine is too slow. */
  readonly makes?: (at: number) => number;
  readonly receiverBuffer?: number;
  readonly senderBuffer?: number;
  /** Seconds between two looks. */
  readonly lookEvery?: number;
  /** What an old kernel does not tell. */
  readonly tellsWindow?: boolean;
  readonly kernel?: boolean;
  /** What a byte that nobody has read takes of the receiver's window. */
  readonly cost?: number;
};

const STEP_S = 0.02;
/** How much faster than real time everything can go. */
const FAST = 40;

/** The looks at such a connection, in order; times in milliseconds from 1,000,000 on. */
export const looksAt = (scenario: Scenario): Sample[] => {
  const { kbps, seconds, reads, lookEvery = 2, tellsWindow = true, kernel = true } = scenario;
  const { receiverBuffer = 200_000, senderBuffer = 2_700_000, cost = 0.93 } = scenario;
  const bytesPerS = kbps * 125;
  let [mediaS, written, acked, taken] = [0, 0, 0, 0];
  const looks: Sample[] = [];
  let lookAt = 0;
  for (let at = 0; at <= seconds; at += STEP_S) {
    // What was held up comes as soon as it can: FFmpeg catches up with its clock.
    const makes = scenario.makes?.(at) ?? 1;
    const most = bytesPerS * STEP_S * (makes < 1 ? makes : FAST);
    const room = senderBuffer - (written - acked);
    written += Math.max(0, Math.min((at - mediaS) * bytesPerS, most, room));
    mediaS = written / bytesPerS;
    if (scenario.passes?.(at) ?? true) acked = Math.min(written, taken + receiverBuffer / cost);
    const part = reads(at);
    taken = Math.min(acked, taken + bytesPerS * STEP_S * (part < 1 ? part : FAST));
    if (at + 1e-9 < lookAt) continue;
    lookAt += lookEvery;
    looks.push({
      at: 1_000_000 + Math.round(at * 1000),
      mediaMs: Math.floor((mediaS * 1000) / 500) * 500,
      written: Math.round(written),
      connection: kernel
        ? {
            acked: Math.round(acked),
            window: tellsWindow
              ? Math.max(0, Math.round(receiverBuffer - (acked - taken) * cost))
              : 0,
            backlog: Math.round(written - acked),
            ...{ rttMs: 20, retransmits: 0, ends: [] },
          }
        : null,
    });
  }
  return looks;
};
