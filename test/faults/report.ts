import { table } from "../../cli/render/table.ts";
import { quantile } from "../soak/statistics.ts";
import type { Outcome } from "./lanes.ts";
import type { Seen } from "./suite.ts";
import { INVARIANTS, type Invariant, type Violation } from "./violations.ts";

const seconds = (ms: number): string => (Number.isFinite(ms) ? (ms / 1_000).toFixed(1) : "-");

/** One round in one line. */
export const roundLine = (outcome: Outcome): string => {
  const { number, fault, detail, boundMs, recoveries, longestGapMs, error } = outcome;
  const back = recoveries.map(({ name, ms }) => `${name} ${ms === null ? "never" : seconds(ms)}`);
  const streams =
    back.length === 0
      ? ""
      : `; back after s: ${back.join(", ")} (of ${seconds(boundMs)}), longest gap ${seconds(longestGapMs)}`;
  const failed = error === null ? "" : `; COULD NOT BE CARRIED OUT: ${error}`;
  return `${String(number).padStart(4)} ${fault}: ${detail}${streams}${failed}`;
};

export const violationLine = ({ invariant, atMs, during, evidence }: Violation): string =>
  `BROKEN ${invariant} after ${seconds(atMs)} s: ${evidence} (during: ${during.join(", ") || "nothing"})`;

type FaultRow = {
  readonly fault: string;
  readonly count: number;
  readonly ms: readonly number[];
  readonly gapMs: number;
  readonly never: number;
};

const faultRows = (outcomes: readonly Outcome[]): FaultRow[] =>
  [...new Set(outcomes.map(({ fault }) => fault))].sort().map((fault) => {
    const own = outcomes.filter((outcome) => outcome.fault === fault);
    const all = own.flatMap(({ recoveries }) => recoveries.map(({ ms }) => ms));
    return {
      ...{ fault, count: own.length },
      ms: all.filter((ms) => ms !== null),
      never: all.filter((ms) => ms === null).length,
      gapMs: Math.max(0, ...own.map(({ longestGapMs }) => longestGapMs)),
    };
  });

const faultTable = (outcomes: readonly Outcome[]): string[] => {
  const part =
    (of: number) =>
    ({ ms }: FaultRow): string =>
      seconds(quantile(ms, of));
  const columns = [
    { title: "FAULT", text: ({ fault }: FaultRow) => fault },
    { title: "ROUNDS", text: ({ count }: FaultRow) => String(count) },
    { title: "STREAMS", text: ({ ms, never }: FaultRow) => String(ms.length + never) },
    { title: "BACK AFTER P50 s", text: part(0.5) },
    { title: "P95", text: part(0.95) },
    {
      title: "WORST",
      text: ({ ms, never }: FaultRow) => (never > 0 ? `${never} never` : seconds(Math.max(...ms))),
    },
    { title: "LONGEST GAP s", text: ({ gapMs }: FaultRow) => seconds(gapMs) },
  ];
  return table(columns, faultRows(outcomes), null);
};

const invariantTable = ({ violations }: Seen): string[] => {
  const rows = Object.entries(INVARIANTS) as [Invariant, string][];
  const columns = [
    { title: "INVARIANT", text: ([, sentence]: [Invariant, string]) => sentence },
    {
      title: "BROKEN",
      text: ([name]: [Invariant, string]) => String(violations.counts.get(name) ?? 0),
    },
  ];
  return table(columns, rows, null);
};

const MB = 1_048_576;

const growth = ({ rests }: Seen): string => {
  const [first, last] = [rests[0], rests.at(-1)];
  if (first === undefined || last === undefined) return "The daemon was never seen at rest.";
  const most = Math.max(...rests.map(({ rss }) => rss));
  const mb = (bytes: number): string => (bytes / MB).toFixed(1);
  return `The daemon at rest, first and last: ${mb(first.rss)} and ${mb(last.rss)} MB (${mb(most)} at most), ${first.descriptors} and ${last.descriptors} descriptors, ${first.files} and ${last.files} files.`;
};

export const isBroken = ({ violations, outcomes }: Seen): boolean =>
  violations.counts.size > 0 || outcomes.some(({ error }) => error !== null);

/** The end of a run, line by line. */
export const summary = (seen: Seen): string[] => [
  "",
  ...faultTable(seen.outcomes),
  "",
  ...invariantTable(seen),
  "",
  growth(seen),
  `${seen.outcomes.length} rounds in ${seconds(seen.tookMs)} s, ${seen.publishes} publishers, ${seen.looks} looks from outside; this process stood still for ${Math.round(seen.longestPauseMs)} ms at most, and the least program took up to ${Math.round(seen.slowestProgramMs)} ms.`,
  ...[...seen.skipped].map(([fault, why]) => `Not inflicted here: ${fault}: ${why}`),
];
