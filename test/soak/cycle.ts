import { setTimeout as after } from "node:timers/promises";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { MAX_WAIT_MS } from "../../shared/protocol.ts";
import { processOf } from "../helpers/processes.ts";
import type { Ask } from "./ask.ts";
import type { Plan } from "./plan.ts";
import { type Tally, failed } from "./tally.ts";

/** What cycles have to do with. */
export type Field = {
  readonly plan: Plan;
  readonly ask: Ask;
  readonly tally: Tally;
  /** A connection of its own for one call, as the command line makes one. */
  readonly look: (name: string) => Promise<unknown>;
  /** Registers a stream of this name. */
  readonly add: (name: string) => Promise<unknown>;
  /** Another film of the same kind, and the first. */
  readonly films: readonly [string, string];
  /** Cuts the time on the air short. */
  readonly signal: AbortSignal;
};

/** How often what else an operator does comes up in a cycle. */
const OFTEN = { overtake: 0.03, restart: 0.05, set: 0.1, look: 0.1, logs: 0.1 } as const;
const START_MS = 40_000;

/** A stream that stands still is started, on the air for a while, and stopped again. */
export const cycle = async (field: Field, name: string): Promise<void> => {
  const { plan, ask, tally } = field;
  const happens = (part: number): boolean => plan.random() < part;
  if (happens(OFTEN.set))
    await ask("stream.set", { name, input: field.films[tally.cycles % 2] ?? "" });
  if (happens(OFTEN.overtake)) {
    tally.overtaken += 1;
    await ask("stream.start", { name });
    return stop(field, name);
  }
  await start(field, name, "stream.start");
  if (happens(OFTEN.restart)) {
    await onTheAir(field);
    tally.restarts += 1;
    tally.stops += 1;
    await start(field, name, "stream.restart");
  }
  if (happens(OFTEN.look)) await field.look(name);
  if (happens(OFTEN.logs)) await ask("stream.logs", { name, lines: 20 });
  await onTheAir(field);
  if (happens(plan.kills)) await kill(field, name);
  tally.stops += 1;
  await stop(field, name);
};

const onTheAir = async ({ plan, signal }: Field): Promise<void> => {
  const [least, most] = plan.liveMs;
  await after(least + plan.random() * (most - least), undefined, { signal }).catch(() => {});
};

/** Counts a start: one that needed a second attempt has failed. */
const start = async (
  field: Field,
  name: string,
  how: "stream.start" | "stream.restart",
): Promise<void> => {
  const { ask, tally } = field;
  const begun = performance.now();
  tally.starts += 1;
  await ask(how, { name });
  const stream = await arrival(field, name);
  if (stream.state !== "live" || stream.restarts > 0) {
    const why = stream.lastError?.message ?? stream.lastExit?.message;
    return failed(tally, why ?? `${stream.state} after ${START_MS / 1000} s`);
  }
  tally.started += 1;
  tally.startMs.push(performance.now() - begun);
};

const arrival = async ({ ask }: Field, name: string): Promise<StreamStatus> => {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const waitMs = Math.max(0, Math.min(MAX_WAIT_MS, deadline - performance.now()));
    const params = { name, for: "live", waitMs: Math.round(waitMs) } as const;
    const { outcome, stream } = await ask("stream.wait", params);
    if (outcome !== "waiting" || waitMs === 0) return stream;
  }
};

const kill = async (field: Field, name: string): Promise<void> => {
  const { streams } = await field.ask("stream.status", { names: [name] });
  const pid = streams[0]?.pid ?? 0;
  // Only what this run has started.
  const own = processOf(pid)?.environment.some(
    (entry) => entry.startsWith("STREAMBRO_RUN=") && entry.endsWith(`/${name}`),
  );
  if (own !== true) return;
  process.kill(pid, "SIGKILL");
  field.tally.kills += 1;
  await onTheAir(field);
  const { state } = await arrival(field, name);
  if (state !== "live") failed(field.tally, `${state}, and not live again after SIGKILL`);
};

export const stop = async ({ ask, tally }: Field, name: string): Promise<void> => {
  await ask("stream.stop", { name });
  const { stream } = await ask("stream.wait", { name, for: "stopped", waitMs: MAX_WAIT_MS });
  if (stream.state === "stopped") tally.cycles += 1;
  else failed(tally, `${stream.state} 20 s after it was to stop`);
};
