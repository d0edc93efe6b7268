import { z } from "zod";
import { DESIRED_STATES, FAILURE_REASONS, HEALTH_STATES, STREAM_STATES } from "../states.ts";

/*
 * What a later release has added has a default: a daemon of release 0.1 does not tell it.
 */

/** ISO 8601 in UTC, as `Date.prototype.toISOString` writes it. */
const Instant = z.string();

export const OutputStatus = z.object({
  /** Destination with every secret masked. */
  url: z.string(),
  health: z.enum(HEALTH_STATES),
  /** Bytes acknowledged by the receiver's kernel since the process started; null where unknown. */
  bytes: z.number().nullable(),
  bitrateKbps: z.number().nullable(),
  /** Bytes that FFmpeg has handed over and the receiver has not acknowledged; null where unknown. */
  backlogBytes: z.number().nullable().default(null),
  rttMs: z.number().nullable().default(null),
  /** Segments sent again since the process started. */
  retransmits: z.number().nullable().default(null),
  /** What `health` goes by: the kernel's counters, or FFmpeg's progress alone; null before either. */
  healthBy: z.enum(["kernel", "progress"]).nullable().default(null),
  error: z.string().nullable(),
});

export const Progress = z.object({
  outTimeMs: z.number().nullable(),
  frame: z.number().nullable(),
  fps: z.number().nullable(),
  /** Media seconds sent per second of wall clock. */
  speed: z.number().nullable(),
});

export const LastExit = z.object({
  code: z.number().nullable(),
  signal: z.string().nullable(),
  reason: z.enum(FAILURE_REASONS),
  message: z.string(),
  at: Instant,
});

/** What becomes of a file's two tracks on their way. */
export const Tracks = z.object({
  video: z.object({
    action: z.enum(["copy", "encode"]),
    /** FFmpeg's encoder; null for a copy. */
    encoder: z.string().nullable(),
    /** Why software encodes although hardware was chosen; null where that is not so. */
    fallback: z.string().nullable(),
    /** Width by height of what is encoded, such as `1920x1080`; missing for a copy. */
    size: z.string().optional(),
  }),
  /** Where the file has no sound: `silence`, or `none` in mode copy. */
  audio: z.object({ action: z.enum(["copy", "encode", "silence", "none"]) }),
});

export const StreamStatus = z.object({
  name: z.string(),
  owner: z.string(),
  /**
   * Whether whoever asks may start, stop and change it. Else it is another's: `input` and `outputs` are
   * empty, and what else could tell of them is null.
   */
  mayControl: z.boolean().default(true),
  state: z.enum(STREAM_STATES),
  desired: z.enum(DESIRED_STATES),
  health: z.enum(HEALTH_STATES),
  /** When the stream entered its state. */
  since: Instant,
  /** When the running FFmpeg was started; null where none runs. */
  startedAt: Instant.nullable(),
  pid: z.number().nullable(),
  /** Unplanned restarts since an operator last started the stream. */
  restarts: z.number(),
  retryAt: Instant.nullable(),
  /** When it will be stopped by itself; null where it runs until somebody stops it. */
  stopAt: Instant.nullable(),
  input: z.string(),
  position: z
    .object({
      /** Into the item that plays, in milliseconds. */
      ms: z.number(),
      durationMs: z.number(),
      /** Times the input has been played to its end since the process started. */
      cycle: z.number(),
    })
    .nullable(),
  outputs: z.array(OutputStatus),
  progress: Progress.nullable(),
  /** Of its process, by the last measurement; memory is resident, shared libraries included. */
  usage: z
    .object({
      cpuPercent: z.number(),
      memoryBytes: z.number(),
      /** Proportional: shared libraries counted in parts; null where the kernel does not say. */
      pssBytes: z.number().nullable(),
      at: Instant,
      /** Thresholds crossed since the process started. */
      warnings: z.number(),
    })
    .nullable(),
  /** What becomes of each track in the running process; null where none runs. */
  tracks: Tracks.nullable(),
  lastExit: LastExit.nullable(),
  lastError: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** What else an operator should know about the running process; null where all is as it should be. */
  note: z.string().nullable(),
});

export type OutputStatus = z.infer<typeof OutputStatus>;
export type Tracks = z.infer<typeof Tracks>;
export type Progress = z.infer<typeof Progress>;
export type LastExit = z.infer<typeof LastExit>;
export type StreamStatus = z.infer<typeof StreamStatus>;
