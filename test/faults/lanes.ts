import { setTimeout as after } from "node:timers/promises";
import { PASSED_PROGRAMS, SRT_NOTICE_MS, UNDISTURBED_GAP_MS } from "./bounds.ts";
import type { Inflicted, Round } from "./fault.ts";
import { pairOf } from "./own-processes.ts";
import { type PlannedRound, randomFor } from "./plan.ts";
import { type Recovery, recovery } from "./recovery.ts";
import type { Stage } from "./stage.ts";
import type { Target } from "./target.ts";

/** What came of one round. Times in milliseconds. */
export type Outcome = {
  readonly number: number;
  readonly fault: string;
  readonly detail: string;
  readonly boundMs: number;
  readonly tookMs: number;
  readonly recoveries: readonly Recovery[];
  /** At the receiver, over the whole round. */
  readonly longestGapMs: number;
  /** The fault itself could not be carried out; null where it could. */
  readonly error: string | null;
};

/** Inflicts one round on these streams and waits until they are on the air again. */
const carryOut = async (
  stage: Stage,
  { number, fault }: PlannedRound,
  targets: readonly Target[],
): Promise<Outcome> => {
  const { expectations, violations, plan } = stage;
  const random = randomFor(plan.seed, number);
  const between = (least: number, most: number): number => least + random() * (most - least);
  const round: Round = {
    ...{ number, stage, targets, random, between },
    pick: (of) => of[Math.floor(random() * of.length)] as (typeof of)[number],
    hold: (leastMs, mostMs) => after(between(leastMs, mostMs) * plan.haste),
  };
  const began = performance.now();
  const label = `${number} ${fault.name}`;
  violations.during.add(label);
  const watches = targets.map(({ arrivals }) => arrivals.watch());
  const before = targets.map((target) => pairOf(stage, target).ffmpeg?.pid);
  for (const { name } of targets) expectations.inflict(name);
  let inflicted: Inflicted = { detail: "", boundMs: 60_000 };
  let error: string | null = null;
  try {
    inflicted = await fault.inflict(round);
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause);
  }
  const { detail, boundMs, unharmed = [] } = inflicted;
  const liftedAt = performance.now();
  const boundOf = ({ kind }: Target): number => boundMs + (kind === "srt" ? SRT_NOTICE_MS : 0);
  for (const target of targets) expectations.lift(target.name, boundOf(target));
  const recoveries = await Promise.all(
    targets.map(async (target) => {
      const found = await recovery(stage, target, liftedAt, boundOf(target));
      expectations.recovered(target.name);
      return found;
    }),
  );
  const permittedMs = UNDISTURBED_GAP_MS + stage.machine.allowance(PASSED_PROGRAMS);
  for (const [at, target] of targets.entries()) {
    if (!unharmed.includes(target)) continue;
    const gapMs = Math.round(watches[at]?.longestMs() ?? 0);
    const pid = pairOf(stage, target).ffmpeg?.pid;
    const problem =
      pid === before[at]
        ? gapMs > permittedMs && `no byte for ${gapMs} ms`
        : `FFmpeg ${before[at]} became ${pid}: ${await lastExit(stage, target)}`;
    if (problem !== false)
      violations.broken("undisturbed", `${label} must cost ${target.name} nothing: ${problem}`);
  }
  const longestGapMs = Math.round(Math.max(0, ...watches.map((watch) => watch.longestMs())));
  for (const watch of watches) watch.end();
  violations.during.delete(label);
  const tookMs = Math.round(performance.now() - began);
  return { number, fault: fault.name, detail, boundMs, tookMs, recoveries, longestGapMs, error };
};

/** Why its FFmpeg ended last, in the daemon's words. */
const lastExit = async ({ daemon }: Stage, { name }: Target): Promise<string> => {
  const { streams } = await daemon.rpc("stream.status", { names: [name] });
  return streams[0]?.lastExit?.message ?? "nothing is known of an end";
};

/** Carries out all rounds in their order, as many at once as there are free streams for. */
export const inLanes = async (
  stage: Stage,
  told: (outcome: Outcome) => void,
  atRest: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const free = new Set(stage.targets);
  const active = new Set<Promise<void>>();
  let daemonFree = true;
  const begin = (planned: PlannedRound, targets: readonly Target[]): void => {
    for (const target of targets) free.delete(target);
    if (planned.fault.daemon) daemonFree = false;
    const round = (async () => {
      const outcome = await carryOut(stage, planned, targets);
      for (const target of targets) free.add(target);
      if (planned.fault.daemon) daemonFree = true;
      told(outcome);
    })();
    active.add(round);
    void round.finally(() => active.delete(round)).catch(() => {});
  };
  for (const planned of stage.plan.rounds) {
    if (signal.aborted) break;
    const { fault, streams, number } = planned;
    const random = randomFor(stage.plan.seed, -number);
    for (;;) {
      const fitting = [...free].filter(({ kind }) => fault.kinds?.includes(kind) ?? true);
      const isAlone = fault.takes === "all";
      // One stream is always left in peace, unless everything is to be disturbed.
      const room = isAlone
        ? active.size === 0
        : fitting.length >= streams && free.size > streams && active.size < MOST_AT_ONCE;
      if (room && (daemonFree || !fault.daemon)) {
        if (isAlone) await atRest();
        const sorted = fitting.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at);
        const chosen = sorted.slice(0, streams).map(({ one }) => one);
        begin(planned, isAlone ? stage.targets : chosen);
        if (isAlone) await Promise.all(active);
        break;
      }
      await Promise.race(active);
    }
  }
  await Promise.all(active);
  await atRest();
};

const MOST_AT_ONCE = 6;
