import type { Plan } from "./plan.ts";
import type { Rest, Series } from "./sampler.ts";
import type { Steady } from "./steady.ts";
import type { Tally } from "./tally.ts";

/** All that a soak has seen. */
export type Measured = {
  readonly plan: Plan;
  readonly tally: Tally;
  readonly tookMs: number;
  readonly daemonCpuMs: number;
  /** While streams cycled. */
  readonly series: Series;
  /** After each leg, when nothing cycled. */
  readonly rests: readonly Rest[];
  readonly steady: readonly Steady[];
  readonly forceKills: number;
  readonly errors: { readonly count: number; readonly first: readonly string[] };
  /** After every stream was removed: FFmpegs, and more files than there were at the beginning. */
  readonly ffmpegsLeft: number;
  readonly filesLeft: number;
  /** After the daemon's end, what had to be killed. */
  readonly leftRunning: readonly string[];
  readonly cutShort: boolean;
};
