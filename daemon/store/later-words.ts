import { FAILURE_REASONS } from "../../shared/states.ts";

/** What release 0.1 reads as a reason; a record with any other word it sets aside. */
const FIRST_REASONS: ReadonlySet<string> = new Set([
  "connection-refused",
  "dns",
  "auth-or-path-rejected",
  "already-publishing",
  "network-lost",
  "timed-out",
  "no-media",
  "input-missing",
  "input-corrupt",
  "codec-unsupported",
  "encoder-failed",
  "option-unsupported",
  "end-of-input",
  "killed",
  "crashed",
  "out-of-memory",
  "disk-full",
  "spawn-failed",
  "limit-exceeded",
  "resource-breach",
  "stopped",
  "unknown",
]);

const REASONS: ReadonlySet<string> = new Set(FAILURE_REASONS);

/** A reason that came later is written as `unknown`, with the word itself beside it. */
export const withFirstWords = (value: unknown): unknown =>
  mapped(value, (one) => {
    const { reason } = one;
    if (typeof reason !== "string" || FIRST_REASONS.has(reason)) return one;
    return { ...one, reason: "unknown", exactReason: reason };
  });

/** The reverse, where this release knows the word. */
export const withExactWords = (value: unknown): unknown =>
  mapped(value, ({ exactReason, ...one }) =>
    typeof exactReason === "string" && REASONS.has(exactReason) && one["reason"] === "unknown"
      ? { ...one, reason: exactReason }
      : { ...one },
  );

type Fields = Readonly<Record<string, unknown>>;

const mapped = (value: unknown, change: (one: Fields) => Fields): unknown => {
  if (Array.isArray(value)) return value.map((one) => mapped(one, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, mapped(one, change)] as const);
  return change(Object.fromEntries(entries));
};
