const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** What a timer can wait for is a little more. */
const LONGEST_MS = 24 * 86_400_000;

export const DURATION_RULE =
  "use for instance 30s, 500ms, 2m, 1h30m, or a plain number of seconds; 24 days at most";

/** Milliseconds of "30s", "1h30m", or "30" (seconds), `mostMs` at most; null for what is no duration. */
export const parseDuration = (text: string, mostMs = LONGEST_MS): number | null => {
  if (/^\d+(\.\d+)?$/.test(text)) return bounded(Number(text) * 1000, mostMs);
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|min|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? Number.NaN);
  }
  return bounded(total, mostMs);
};

const bounded = (ms: number, mostMs: number): number | null =>
  Number.isFinite(ms) && ms <= mostMs ? Math.round(ms) : null;
