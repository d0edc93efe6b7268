import { z } from "zod";
import { LastExit, Tracks } from "../../shared/contract/status.ts";
import { StreamSpec } from "../../shared/contract/spec.ts";
import { MediaInfo } from "../media/media-info.ts";
import { Timeline } from "../media/timeline.ts";
import { DESIRED_STATES, FAILURE_REASONS } from "../../shared/states.ts";

/** `streams/NAME.json`: what the operator said, and whether it should run. */
export const SpecRecord = z.object({
  version: z.literal(1),
  spec: StreamSpec,
  /** Which file of keys belongs to it: the revision in which they were set; null where there are none. */
  keys: z.number().int().nullable(),
  desired: z.enum(DESIRED_STATES),
  /** When it is to be stopped by itself, in milliseconds since the epoch; null for never. */
  stopAt: z.number().nullable().default(null),
  /**
   * The same since boot, where it was given as a length of time: the wall clock may be set meanwhile. Null
   * where it goes by the wall clock.
   */
  stopBy: z.object({ bootId: z.string(), uptimeMs: z.number() }).nullable().default(null),
});

/** `keys/NAME@REVISION.json`, mode 0600: FFmpeg's options that nobody may see, one object an output. */
export const SecretRecord = z.object({
  version: z.literal(1),
  outputs: z.array(z.record(z.string(), z.string())),
});

/**
 * How far what the receiver has may lie behind FFmpeg's `out_time`, beside what the muxer holds back: a
 * track that is encoded leaves late. 0 for a copy, and in records of release 0.1.
 */
const LagMs = z.number().default(0);

/** How far a run came: enough to go on from there, as long as the input is the very same file. */
export const Reached = z.object({
  media: MediaInfo,
  timeline: Timeline,
  /** FFmpeg's last `out_time`, in milliseconds; null where it never reported one. */
  outTimeMs: z.number().nullable(),
  /** As in the record of the run. */
  lagMs: LagMs,
});

/** What the daemon knew when it started a run; enough for another daemon to go on from. */
/** How FFmpeg opens its input, where that is not by its name in the daemon's own right. */
const RecordedOpening = z
  .discriminatedUnion("as", [
    z.object({ as: z.literal("owner"), uid: z.number().int().min(0) }),
    z.object({ as: z.literal("descriptor") }),
  ])
  .nullable()
  .default(null);

export const RunRecord = z.object({
  version: z.literal(1),
  name: z.string(),
  /** Pids and start times mean nothing in another boot. */
  bootId: z.string(),
  revision: z.number().int(),
  startedAt: z.number(),
  input: z.string(),
  opening: RecordedOpening,
  loop: z.boolean(),
  /** The destination, without anything secret. */
  url: z.string(),
  /** Keyed hash of the destination and its key: two streams with one never run at once. */
  target: z.string(),
  media: MediaInfo,
  timeline: Timeline,
  /** Null in records of release 0.1, which only copied. */
  tracks: Tracks.nullable().default(null),
  lagMs: LagMs,
  /** Length of FFmpeg's log when the run began. */
  logFrom: z.number(),
});

export const FailureRecord = z.object({
  reason: z.enum(FAILURE_REASONS),
  message: z.string(),
  permanent: z.boolean(),
});

/** The failures since a stream last delivered for long. */
export const Streak = z.object({
  /** Failures in a row that count towards the delay. */
  attempt: z.number().int().min(0),
  /** When the first of them was; null where there was none. */
  outageSince: z.number().nullable(),
  /** When FFmpeg was lately ended from outside; these do not count as long as they are few. */
  kills: z.array(z.number()).max(100),
});

/** `memory/NAME.json`: what the daemon must remember over its own death and a reboot. */
export const MemoryRecord = z.object({
  version: z.literal(1),
  reached: Reached.nullable(),
  /** Failures in a row that speak against the place in the input at which the run began. */
  failuresAtPosition: z.number().int().min(0),
  restarts: z.number().int().min(0),
  /** Why software encodes although hardware would. */
  fallback: z.string().nullable().default(null),
  lastExit: LastExit.nullable(),
  rest: z.discriminatedUnion("is", [
    z.object({ is: z.literal("stopped"), since: z.number() }),
    z.object({ is: z.literal("finished"), since: z.number() }),
    z.object({ is: z.literal("failed"), since: z.number(), failure: FailureRecord }),
    z.object({
      is: z.literal("backoff"),
      since: z.number(),
      failure: FailureRecord,
      streak: Streak,
      retryAt: z.number(),
    }),
    z.object({
      is: z.literal("running"),
      since: z.number(),
      streak: Streak,
      run: RunRecord.nullable(),
    }),
  ]),
});

export type SpecRecord = z.infer<typeof SpecRecord>;
export type SecretRecord = z.infer<typeof SecretRecord>;
export type RunRecord = z.infer<typeof RunRecord>;
export type Streak = z.infer<typeof Streak>;
export type Reached = z.infer<typeof Reached>;
export type FailureRecord = z.infer<typeof FailureRecord>;
export type MemoryRecord = z.infer<typeof MemoryRecord>;
