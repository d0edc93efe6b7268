const MIB = 1_048_576;

/** CPU in percent of one core, memory in MiB, `breachMs` until a crossed threshold is a breach. */
export type Thresholds = {
  readonly cpuPercent: number;
  readonly memoryMb: number;
  readonly breachMs: number;
};

/** How a process stands to its thresholds. */
export type Standing = {
  /** When one was found crossed, on a clock that never jumps; null where none is. */
  readonly since: number | null;
  /** It was crossed for so long that it was acted on. */
  readonly breached: boolean;
  /** Times a threshold was crossed. */
  readonly warnings: number;
};

export const AT_EASE: Standing = { since: null, breached: false, warnings: 0 };

/** What is news of a look: crossed, back below, or crossed for too long. */
export type Verdict = "warn" | "clear" | "breach";

/** It is over when both are at or below this part of their thresholds, or a value at the edge would warn for ever. */
const CLEAR_AT = 0.9;

/** One look. Pure; `cpu` in percent, `memory` in bytes. */
export const judge = (
  before: Standing,
  { cpu, memory }: { readonly cpu: number; readonly memory: number },
  { cpuPercent, memoryMb, breachMs }: Thresholds,
  at: number,
): { readonly standing: Standing; readonly verdicts: readonly Verdict[] } => {
  const worst = Math.max(cpu / cpuPercent, memory / (memoryMb * MIB));
  if (before.since !== null && worst <= CLEAR_AT) {
    const standing = { since: null, breached: false, warnings: before.warnings };
    return { standing, verdicts: ["clear"] };
  }
  const isCrossed = worst > 1;
  if (before.since === null && !isCrossed) return { standing: before, verdicts: [] };
  const isNew = before.since === null;
  const since = before.since ?? at;
  const breaks = isCrossed && !before.breached && at - since >= breachMs;
  return {
    standing: {
      since,
      breached: before.breached || breaks,
      warnings: before.warnings + (isNew ? 1 : 0),
    },
    verdicts: [...(isNew ? (["warn"] as const) : []), ...(breaks ? (["breach"] as const) : [])],
  };
};

/** As the design document words it: whole percent, whole MiB. */
export const figures = ({ cpu, memory }: { cpu: number; memory: number }): string =>
  `CPU ${Math.round(cpu)}%, Memory ${Math.round(memory / MIB)} MB`;
