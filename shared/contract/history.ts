import { z } from "zod";

/** What can be remembered. `state` is a change of a stream's shown state; the others say what came with it. */
export const HISTORY_KINDS = [
  "state",
  "adopted",
  "started",
  "encoder-fallback",
  "force-kill",
  "refused",
  "resources",
  "health",
  "added",
  "changed",
  "removed",
  "settings",
  "daemon-started",
  "daemon-stopped",
  /** The daemon before this one ended without a goodbye. */
  "daemon-lost",
  /** Somebody has set the wall clock: the times of entries leap here. */
  "clock",
  /** The history itself could not be written for a time. */
  "history-lost",
] as const;

export const HistoryEntry = z.object({
  /** Raised with each entry, over restarts too: the order in which things happened, whatever the clock did. */
  id: z.number(),
  /** ISO 8601 in UTC, by the wall clock of then. */
  at: z.string(),
  /** Null where it is about the daemon itself. */
  stream: z.string().nullable(),
  /** Whose the stream was then; null where that was not recorded. */
  owner: z.string().nullable().default(null),
  kind: z.enum(HISTORY_KINDS),
  /** States, or under `health` what arrived; null where there is none. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  /** As in `lastExit`; null where it is nobody's failure. */
  reason: z.string().nullable(),
  message: z.string(),
  /** Who asked for it; null where nobody did, or where it cannot be known. */
  by: z.object({ uid: z.number(), user: z.string().nullable() }).nullable(),
  /** Such as `pid`, `retryInMs`, `afterMs`, `exitCode`, `exitSignal`. */
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Changes of this stream, just before this one, that were too many to keep. */
  skipped: z.number(),
});

export const HistoryList = z.object({
  version: z.literal(1),
  /** Oldest first. */
  entries: z.array(HistoryEntry),
  /** Whether there are older ones that would fit too. */
  more: z.boolean(),
});

const Words = z.object({ message: z.string() });

/** What the daemon says unasked on a connection that has subscribed: `method` and `params` of a notification. */
export const NOTIFICATIONS = {
  event: { summary: "Something happened", params: HistoryEntry },
  dropped: { summary: "Too much was left unread; the connection ends", params: Words },
  ended: { summary: "The daemon is stopping; the connection ends", params: Words },
} as const;

export type HistoryEntry = z.infer<typeof HistoryEntry>;
export type HistoryList = z.infer<typeof HistoryList>;
export type NotificationName = keyof typeof NOTIFICATIONS;
