import { z } from "zod";
import { MAX_WAIT_MS } from "../protocol.ts";
import { STREAM_STATES } from "../states.ts";
import { STREAM_NAME, streamNameRule } from "../stream-name.ts";
import { SpecFields, StreamSpec } from "./spec.ts";
import { Configuration, Encoders, Limits, Metric, Reloaded, UserLimit } from "./daemon.ts";
import { HistoryList } from "./history.ts";
import { StreamStatus, Tracks } from "./status.ts";

const Name = z.string().refine((text) => STREAM_NAME.test(text), {
  error: (issue) => streamNameRule(String(issue.input)),
});
const Named = z.strictObject({ name: Name });
const WaitMs = z.number().int().min(0).max(MAX_WAIT_MS);

/** The outcome of a command that moves a stream: `changed` is false where it was so already. */
const Moved = z.object({ changed: z.boolean(), stream: StreamStatus });

/** Facts about an input, as ffprobe gave them. */
const InputFacts = z.object({
  durationMs: z.number(),
  video: z.string(),
  audio: z.string().nullable(),
  /** What will become of the two. */
  tracks: Tracks,
});

/**
 * The whole conversation between `streambro` and `streambrod`: method, what it is for, parameters and
 * result. The server, the client's types, `rpc.discover` and the tests derive from this table.
 */
export const METHODS = {
  "daemon.hello": {
    summary: "Agree on a protocol version; the first message of a connection",
    params: z.object({
      protocol: z.number().int(),
      oldest: z.number().int(),
      client: z.string().max(64),
    }),
    result: z.object({ protocol: z.number(), version: z.string() }),
  },
  "daemon.status": {
    summary: "What this daemon is and what it has in hand",
    params: z.strictObject({}),
    result: z.object({
      version: z.string(),
      protocol: z.number(),
      pid: z.number(),
      startedAt: z.string(),
      socket: z.string(),
      stateDir: z.string(),
      runtimeDir: z.string(),
      ffmpeg: z.string().nullable(),
      streams: z.record(z.enum(STREAM_STATES), z.number()),
      /** An admin's alone. */
      warnings: z.array(z.string()),
      /** Of whoever asks: a user may only touch streams of its own. */
      role: z.enum(["admin", "user"]).optional(),
    }),
  },
  "daemon.stop": {
    summary: "End the daemon: with every stream, or leaving them on the air for the next daemon",
    params: z.strictObject({ keepStreams: z.boolean() }),
    /** `foreign`: those that go on in any case. */
    result: z.object({ pid: z.number(), streams: z.number(), foreign: z.number().optional() }),
  },
  "daemon.config": {
    summary: "Every setting, its value and where that comes from",
    params: z.strictObject({}),
    result: Configuration,
  },
  "daemon.reload": {
    summary: "Read the settings again; wrong ones change nothing",
    params: z.strictObject({}),
    result: Reloaded,
  },
  "daemon.metrics": {
    summary: "Every metric, as data and as Prometheus reads it",
    params: z.strictObject({}),
    result: z.object({ version: z.literal(1), metrics: z.array(Metric), text: z.string() }),
  },
  "limits.get": {
    summary: "How many streams may run at once, and how many do",
    params: z.strictObject({}),
    result: Limits,
  },
  "limits.set": {
    summary: "Change limits for good; what runs goes on. null goes back to the settings",
    params: z.strictObject({
      perUser: UserLimit.nullable().optional(),
      global: UserLimit.nullable().optional(),
      users: z.record(z.string().min(1).max(64), UserLimit.nullable()).optional(),
    }),
    result: Limits,
  },
  "encoders.get": {
    summary: "Which encoders work here, tried out; `refresh` tries again",
    params: z.strictObject({ refresh: z.boolean().optional() }),
    result: Encoders,
  },
  "history.list": {
    summary:
      "What happened, of the streams named or of all and the daemon itself; the newest that fit",
    params: z.strictObject({
      names: z.array(Name).max(10_000).optional(),
      /** From then on. */
      since: z.iso.datetime().optional(),
      /** Before then. */
      until: z.iso.datetime().optional(),
      limit: z.number().int().min(1).max(10_000).optional(),
    }),
    result: HistoryList,
  },
  "events.subscribe": {
    summary:
      "How streams are now; from then on each change comes as a notification, until the connection ends",
    params: z.strictObject({ names: z.array(Name).max(10_000).optional() }),
    result: z.object({
      version: z.literal(1),
      /** The `id` of the last event before; those that come are higher. */
      sequence: z.number(),
      streams: z.array(StreamStatus),
    }),
  },
  "stream.add": {
    summary: "Register a stream; its input is examined first",
    params: z.strictObject({
      name: Name,
      input: SpecFields.input,
      to: SpecFields.to,
      key: SpecFields.key.optional(),
      loop: SpecFields.loop.optional(),
      owner: SpecFields.owner.optional(),
      mode: SpecFields.mode.optional(),
      encoding: SpecFields.encoding.optional(),
      onResourceBreach: SpecFields.onResourceBreach.optional(),
    }),
    result: z.object({ stream: StreamStatus, input: InputFacts }),
  },
  "stream.set": {
    summary: "Change a stream; a running one keeps its old settings until it is restarted",
    params: z.strictObject({
      name: Name,
      input: SpecFields.input.optional(),
      to: SpecFields.to.optional(),
      key: SpecFields.key.optional(),
      loop: SpecFields.loop.optional(),
      owner: SpecFields.owner.optional(),
      mode: SpecFields.mode.optional(),
      encoding: SpecFields.encoding.optional(),
      onResourceBreach: SpecFields.onResourceBreach.optional(),
      restart: z.boolean().optional(),
    }),
    result: z.object({
      stream: StreamStatus,
      changed: z.boolean(),
      needsRestart: z.boolean(),
      restarted: z.boolean(),
    }),
  },
  "stream.show": {
    summary: "A stream's specification, secrets left out",
    params: Named,
    result: z.object({ version: z.literal(1), spec: StreamSpec }),
  },
  "stream.command": {
    summary: "The FFmpeg command line that a stream runs with, or would, secrets left out",
    params: Named,
    result: z.object({ version: z.literal(1), argv: z.array(z.string()) }),
  },
  "stream.status": {
    summary: "How streams are: those named, or all",
    params: z.strictObject({ names: z.array(Name).max(10_000).optional() }),
    result: z.object({ version: z.literal(1), streams: z.array(StreamStatus) }),
  },
  "stream.start": {
    summary: "Want a stream running, for a time or for ever; answers as soon as that is durable",
    params: z.strictObject({
      name: Name,
      /** It is stopped so long after now. */
      forMs: z
        .number()
        .int()
        .min(1_000)
        .max(366 * 86_400_000)
        .optional(),
      /** It is stopped then. */
      until: z.iso.datetime().optional(),
    }),
    result: Moved,
  },
  "stream.stop": {
    summary: "Want a stream stopped; answers as soon as that is durable",
    params: Named,
    result: Moved,
  },
  "stream.restart": {
    summary: "Stop a stream, then start it, resuming where it was",
    params: Named,
    result: Moved,
  },
  "stream.wait": {
    summary: "Wait until a stream is live or stopped, for a bounded time; ask again to wait longer",
    params: z.strictObject({ name: Name, for: z.enum(["live", "stopped"]), waitMs: WaitMs }),
    result: z.object({
      /** `never`: it has come to rest elsewhere and will not get there by itself. */
      outcome: z.enum(["reached", "waiting", "never"]),
      stream: StreamStatus,
    }),
  },
  "stream.logs": {
    summary:
      "FFmpeg's log: the last lines, or what follows a cursor, waiting for more if there is none",
    params: z.strictObject({
      name: Name,
      lines: z.number().int().min(0).max(10_000).optional(),
      cursor: z.string().max(64).optional(),
      waitMs: WaitMs.optional(),
    }),
    result: z.object({ lines: z.array(z.string()), cursor: z.string() }),
  },
  "stream.remove": {
    summary: "Stop a stream, then forget it and every file of it",
    params: Named,
    result: z.object({ name: z.string() }),
  },
} as const;

export type Methods = typeof METHODS;
export type MethodName = keyof Methods;
export type Params<M extends MethodName> = z.infer<Methods[M]["params"]>;
export type Result<M extends MethodName> = z.infer<Methods[M]["result"]>;
