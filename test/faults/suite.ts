import { MAX_WAIT_MS } from "../../shared/protocol.ts";
import { until } from "../helpers/until.ts";
import { Checker } from "./checker.ts";
import { type Outcome, inLanes } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import { type Rest, compareRests, compareStreams, lookAtRest } from "./rest.ts";
import { type Stage, setStage } from "./stage.ts";
import { type Violation, Violations } from "./violations.ts";

/** All that a run has seen. */
export type Seen = {
  readonly outcomes: readonly Outcome[];
  readonly rests: readonly Rest[];
  readonly violations: Violations;
  readonly skipped: ReadonlyMap<string, string>;
  readonly looks: number;
  readonly longestPauseMs: number;
  readonly publishes: number;
  /** The least program, at the slowest: what a busy machine is allowed for. */
  readonly slowestProgramMs: number;
  readonly tookMs: number;
};

export type Telling = {
  readonly outcome: (outcome: Outcome) => void;
  readonly violation: (violation: Violation) => void;
};

/** Carries a plan out. Throws where the stage could not be set; nothing is left running either way. */
export const carryOut = async (
  plan: Plan,
  telling: Telling,
  signal: AbortSignal,
): Promise<Seen> => {
  const violations = new Violations(telling.violation);
  let checker: Checker | null = null;
  const stage = await setStage(plan, violations, (evidence) => checker?.overlap(evidence));
  try {
    await putOnTheAir(stage);
    checker = new Checker(stage);
    const seen = await run(stage, checker, telling, signal);
    return seen;
  } finally {
    await checker
      ?.stop()
      .catch((error: unknown) => violations.broken("daemon-alive", String(error)));
    await stage.end().catch((error: unknown) => violations.broken("no-stray", String(error)));
  }
};

const putOnTheAir = async ({ daemon, targets }: Stage): Promise<void> => {
  for (const { spec } of targets) await daemon.rpc("stream.add", spec);
  for (const { name } of targets) await daemon.rpc("stream.start", { name });
  for (const { name } of targets)
    await until(
      `${name} is live`,
      async () => {
        const { outcome } = await daemon.rpc("stream.wait", {
          name,
          for: "live",
          waitMs: MAX_WAIT_MS,
        });
        return outcome === "reached";
      },
      60_000,
    );
  for (const { name, arrivals } of targets)
    await until(`${name} arrives`, () => arrivals.lasts(1_000), 60_000);
};

const run = async (
  stage: Stage,
  checker: Checker,
  telling: Telling,
  signal: AbortSignal,
): Promise<Seen> => {
  const began = performance.now();
  const outcomes: Outcome[] = [];
  const rests: Rest[] = [];
  const atRest = async (): Promise<void> => {
    const rest = await lookAtRest(stage, performance.now() - began);
    if (rest === null) return;
    rests.push(rest);
    compareRests(stage, rests[0] ?? rest, rest);
    await compareStreams(stage);
  };
  const { catalogue, skipped } = usable(stage);
  await atRest();
  const told = (outcome: Outcome): void => {
    outcomes.push(outcome);
    telling.outcome(outcome);
  };
  await inLanes({ ...stage, plan: { ...stage.plan, rounds: catalogue } }, told, atRest, signal);
  const { violations, hooks, machine } = stage;
  const { looks, longestPauseMs } = checker;
  return {
    ...{ outcomes, rests, violations, skipped, looks, longestPauseMs },
    publishes: hooks.count(),
    slowestProgramMs: machine.slowestMs,
    tookMs: performance.now() - began,
  };
};

/** The rounds that can be carried out here, and why others cannot. */
const usable = (stage: Stage): { catalogue: Plan["rounds"]; skipped: Map<string, string> } => {
  const skipped = new Map<string, string>();
  const catalogue = stage.plan.rounds.filter(({ fault }) => {
    const why = fault.unusable?.(stage) ?? null;
    if (why !== null) skipped.set(fault.name, why);
    return why === null;
  });
  return { catalogue, skipped };
};
