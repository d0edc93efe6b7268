import { spoken } from "../../cli/render/time.ts";
import type { Measured } from "./measured.ts";
import type { Rest } from "./sampler.ts";
import { type Growth, around, growth, quantile, secondHalf } from "./statistics.ts";

/** One line of the result; `met` is null where nothing is demanded. */
export type Row = {
  readonly metric: string;
  readonly measured: string;
  readonly wanted: string;
  readonly met: boolean | null;
};

const MB = 1_048_576;
/** Of memory over the second half: what a collector's moods come to (see docs/soak.md), and no more. */
const MEMORY_BYTES = 3 * MB;
const MEMORY_PART = 0.03;
const DESCRIPTORS = 0;
const FILES = 2;

const percent = (part: number, digits = 2): string => `${(part * 100).toFixed(digits)} %`;
const megabytes = (bytes: number): string => (bytes / MB).toFixed(1);
const signed = (value: number, text: string): string => (value < 0 ? text : `+${text}`);
const share = (some: number, all: number): number => (all === 0 ? 0 : some / all);

const row = (metric: string, measured: string, wanted: string, met: boolean | null): Row => ({
  ...{ metric, measured, wanted, met },
});

/** What was seen, held against what is wanted. Pure. */
export const verdicts = (seen: Measured): readonly Row[] => [
  ...commands(seen),
  ...streams(seen),
  ...memory(seen),
  ...heap(seen),
  ...remains(seen),
];

const commands = ({ tally, plan, tookMs, forceKills, cutShort }: Measured): Row[] => {
  const wanted = Number.isFinite(plan.cycles) ? `${plan.cycles}` : spoken(plan.forMs);
  const rate = (tally.cycles / (tookMs / 1_000)).toFixed(1);
  const { starts, started, startMs, stops } = tally;
  const took = [0.5, 0.95, 1].map((part) => `${(quantile(startMs, part) / 1_000).toFixed(1)} s`);
  const told = [...tally.failures].map(([why, times]) => `${times} x ${why}`).join("; ");
  const failures = [...tally.failures.values()].reduce((all, times) => all + times, 0);
  return [
    row("start/stop cycles", `${tally.cycles} in ${spoken(tookMs)} (${rate}/s)`, wanted, !cutShort),
    row(
      "starts that succeed",
      `${percent(share(started, starts))} (${started} of ${starts})`,
      "> 99 %",
      share(started, starts) > 0.99,
    ),
    row(
      "what did not go as it should",
      told === "" ? "nothing" : told,
      "< 1 % of cycles",
      share(failures, Math.max(tally.cycles, 1)) < 0.01,
    ),
    row("start to live: half, 95 %, all within", took.join(", "), "-", null),
    row(
      "stops by force",
      `${percent(share(forceKills, stops))} (${forceKills} of ${stops})`,
      "< 1 %",
      share(forceKills, stops) < 0.01 && stops > 0,
    ),
  ];
};

const streams = ({ steady, tookMs, daemonCpuMs }: Measured): Row[] => {
  const sum = (of: (one: (typeof steady)[number]) => number): number =>
    steady.reduce((total, one) => total + of(one), 0);
  const desired = sum(({ delivery }) => delivery.desiredMs);
  const delivering = sum(({ delivery }) => delivery.deliveringMs);
  const silence = Math.max(0, ...steady.map(({ delivery }) => delivery.longestSilenceMs));
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const mean = sum(({ cpuPercent }) => cpuPercent) / steady.length;
  const worst = Math.max(...steady.map(({ cpuPercent }) => cpuPercent));
  return [
    row(
      "uptime: seconds delivering of desired",
      `${percent(share(delivering, desired), 3)} (${seconds(delivering)} of ${seconds(desired)}; longest silence ${seconds(silence)})`,
      ">= 99.9 %",
      share(delivering, desired) >= 0.999,
    ),
    row(
      "CPU of a copied stream: mean, worst",
      `${mean.toFixed(2)} %, ${worst.toFixed(2)} % of a core`,
      "< 10 %",
      worst < 10 && worst > 0,
    ),
    row("CPU of the daemon", `${percent(share(daemonCpuMs, tookMs), 1)} of a core`, "-", null),
  ];
};

/** Both the line through all samples and the two ends must say that it grows: either alone is noise. */
const bounded = ({ ends, line }: Growth, bound: number): boolean => Math.min(ends, line) <= bound;

const grown = ({ ends, line }: Growth): string =>
  `${signed(ends, megabytes(ends))} by the ends, ${signed(line, megabytes(line))} by the line`;

const memory = ({ series, rests, plan }: Measured): Row[] => {
  const { rss, pss, anonymous } = series;
  const course = (samples: typeof rss): string =>
    [0.25, 0.5, 1].map((part) => megabytes(around(samples, part))).join(", ");
  // Where garbage is collected at rest, what it comes to in between says nothing.
  const judged = plan.heap ? rests.map((rest) => ({ atMs: rest.atMs, value: rest.rss })) : rss;
  const late = growth(secondHalf(judged));
  const bound = Math.max(MEMORY_BYTES, around(judged, 0.5) * MEMORY_PART);
  return [
    row("daemon's RSS at a quarter, half, end", `${course(rss)} MB`, "-", null),
    row("daemon's PSS; its own (anonymous)", `${course(pss)}; ${course(anonymous)} MB`, "-", null),
    row(
      `RSS${plan.heap ? " at rest" : ""} grown in the second half`,
      `${grown(late)}: ${course(judged)} MB`,
      `<= ${megabytes(bound)} MB`,
      judged.length >= LEAST_SAMPLES && bounded(late, bound),
    ),
  ];
};

/** Of fewer nobody can say whether they grow. */
const LEAST_SAMPLES = 4;

/** Of what a collection leaves of the heap; code that is compiled and caches that fill, and no more. */
const HEAP_BYTES = MB;

const heap = ({ rests }: Measured): Row[] => {
  const sizes = rests.flatMap(({ heap }) => heap ?? []);
  if (sizes.length === 0) return [];
  const at = (part: number): number => sizes[Math.ceil(sizes.length * part) - 1] ?? Number.NaN;
  const more = at(1) - at(0.5);
  return [
    row(
      "heap after a collection: quarter, half, end",
      `${[0.25, 0.5, 1].map((part) => (at(part) / MB).toFixed(2)).join(", ")} MB`,
      `growth <= ${megabytes(HEAP_BYTES)} MB`,
      more <= HEAP_BYTES,
    ),
  ];
};

/** What there is more of than there was. */
const added = (before: Rest["kinds"], now: Rest["kinds"]): string =>
  Object.entries(now)
    .map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const)
    .filter(([, more]) => more > 0)
    .map(([kind, more]) => `; +${more} ${kind}`)
    .join("");

const remains = ({ rests, errors, ffmpegsLeft, filesLeft, leftRunning, plan }: Measured): Row[] => {
  const half = rests[Math.ceil(rests.length / 2) - 1];
  const quarter = rests[Math.max(0, Math.ceil(rests.length / 4) - 1)];
  const end = rests.at(-1);
  const course = (name: "descriptors" | "files"): string =>
    [quarter, half, end].map((rest) => String(rest?.[name] ?? "-")).join(", ");
  const more = (name: "descriptors" | "files"): number =>
    (end?.[name] ?? Number.NaN) - (half?.[name] ?? 0);
  return [
    row(
      "descriptors at rest: quarter, half, end",
      `${course("descriptors")}${added(half?.kinds ?? {}, end?.kinds ?? {})}`,
      `growth <= ${DESCRIPTORS}`,
      more("descriptors") <= DESCRIPTORS,
    ),
    row(
      "files at rest: quarter, half, end",
      course("files"),
      `growth <= ${FILES}`,
      more("files") <= FILES,
    ),
    row(
      "children, zombies, FFmpegs at rest",
      `${end?.children ?? "-"}, ${end?.zombies ?? "-"}, ${end?.ffmpegs ?? "-"}`,
      `0, 0, ${plan.streams}`,
      end?.children === 0 && end.zombies === 0 && end.ffmpegs === plan.streams,
    ),
    row("errors in the daemon's log", `${errors.count}`, "0", errors.count === 0),
    row(
      "left at the end: processes, files",
      `${ffmpegsLeft + leftRunning.length}, ${filesLeft}`,
      "0, 0",
      ffmpegsLeft + leftRunning.length === 0 && filesLeft <= 0,
    ),
  ];
};
