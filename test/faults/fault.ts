import type { Stage } from "./stage.ts";
import type { Kind, Target } from "./target.ts";

/** What a fault has to do with in one round. */
export type Round = {
  readonly number: number;
  readonly stage: Stage;
  /** The streams that it is for; of a fault that takes all, every one. */
  readonly targets: readonly Target[];
  /** In [0, 1), the same for the same seed and number. */
  readonly random: () => number;
  /** A number between the two. */
  readonly between: (least: number, most: number) => number;
  readonly pick: <T>(of: readonly T[]) => T;
  /** Lets time go by: shorter in the short form. */
  readonly hold: (leastMs: number, mostMs: number) => Promise<void>;
};

/** What was done, with everything lifted again. */
export type Inflicted = {
  readonly detail: string;
  /** How long the policy permits until its streams are on the air again, counted from now. */
  readonly boundMs: number;
  /** Streams that it must cost nothing at all: no pause, no new FFmpeg. */
  readonly unharmed?: readonly Target[];
};

export type Fault = {
  readonly name: string;
  /** How many streams, at most; `all` has the stage for itself; 0 is done to the daemon or beside it. */
  readonly takes: number | "all";
  /** Of one at a time: it is done to the daemon. */
  readonly daemon: boolean;
  /** Where it is not for every kind. */
  readonly kinds?: readonly Kind[];
  /** It cannot be had in a short time. */
  readonly isLong?: true;
  /** How often it comes up, against the others. */
  readonly weight: number;
  /** Why it cannot be inflicted here; null where it can. */
  readonly unusable?: (stage: Stage) => string | null;
  readonly inflict: (round: Round) => Promise<Inflicted>;
};

export const RTMP: readonly Kind[] = ["copy", "silence", "encode"];
