const MIB = 1_048_576;

/** CPU in percent of one core, memory in MiB, `breachMs` until a crossed threshold is a breach. */
export type Thresholds = {
  readonly cpuPercent: number;
  readonly memoryMb: number;
  readonly breachMs: number;
};

/** How a process stands to one threshold. Times are on a clock that never jumps. */
type Level = {
  /** It was crossed and has not come back well below yet. */
  readonly isHigh: boolean;
  /** When it was found crossed the first of the times in a row that it is; null where it is not just now. */
  readonly crossedSince: number | null;
  /** It was crossed for so long that it was acted on. */
  readonly breached: boolean;
};

/** How a process stands to its thresholds. */
export type Standing = {
  readonly cpu: Level;
  readonly memory: Level;
  /** Looks that found a threshold newly crossed. */
  readonly warnings: number;
};

const LOW: Level = { isHigh: false, crossedSince: null, breached: false };
export const AT_EASE: Standing = { cpu: LOW, memory: LOW, warnings: 0 };

/** What is news of a look: one newly crossed, both back below, or one crossed for too long. */
export type Verdict = "warn" | "clear" | "breach";

/** It is over when a value is at or below this part of its threshold, or one at the edge would warn for ever. */
const CLEAR_AT = 0.9;

/** One look. Pure; `cpu` in percent, `memory` in bytes. */
export const judge = (
  before: Standing,
  measured: { readonly cpu: number; readonly memory: number },
  { cpuPercent, memoryMb, breachMs }: Thresholds,
  at: number,
): { readonly standing: Standing; readonly verdicts: readonly Verdict[] } => {
  const cpu = level(before.cpu, measured.cpu / cpuPercent, breachMs, at);
  const memory = level(before.memory, measured.memory / (memoryMb * MIB), breachMs, at);
  const both = [
    [before.cpu, cpu],
    [before.memory, memory],
  ] as const;
  const warns = both.some(([was, is]) => !was.isHigh && is.isHigh);
  const clears = both.some(([was]) => was.isHigh) && !both.some(([, is]) => is.isHigh);
  const breaks = both.some(([was, is]) => !was.breached && is.breached);
  return {
    standing: { cpu, memory, warnings: before.warnings + (warns ? 1 : 0) },
    verdicts: [
      ...(warns ? (["warn"] as const) : []),
      ...(breaks ? (["breach"] as const) : []),
      ...(clears ? (["clear"] as const) : []),
    ],
  };
};

/** `part` is the value in parts of its threshold. */
const level = (before: Level, part: number, breachMs: number, at: number): Level => {
  if (part <= 1) {
    const isHigh = before.isHigh && part > CLEAR_AT;
    return { isHigh, crossedSince: null, breached: isHigh && before.breached };
  }
  const crossedSince = before.crossedSince ?? at;
  return {
    isHigh: true,
    crossedSince,
    breached: before.breached || at - crossedSince >= breachMs,
  };
};

/** As the design document words it: whole percent, whole MiB. */
export const figures = ({ cpu, memory }: { cpu: number; memory: number }): string =>
  `CPU ${Math.round(cpu)}%, Memory ${Math.round(memory / MIB)} MB`;
