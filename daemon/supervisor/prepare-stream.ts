import { messageOf } from "../log/message-of.ts";
import type { Contents } from "../runner/run-directory.ts";
import type { Event } from "./events.ts";
import { prepare } from "./preparation.ts";
import type { TrackRecord } from "./track-record.ts";
import type { StreamContext } from "./stream-context.ts";

/** What came of preparing, as an event; `contents` of the run directory where a run began. */
export type PrepareOutcome = { readonly event: Event; readonly contents: Contents | null };

/** Prepares and launches a stream's next run, going on from what the last one reached. */
export const prepareStream = async (
  context: StreamContext,
  { resumeFrom: reached, fallback }: Pick<TrackRecord, "resumeFrom" | "fallback">,
): Promise<PrepareOutcome> => {
  const { name, places, launch, clock } = context;
  const settings = context.settings();
  const without = (event: Event): PrepareOutcome => ({ event, contents: null });
  const destination = context.destination();
  if (!destination.ok) return without({ type: "unprepared", failure: destination.failure });
  const conflict = context.conflict("owner");
  if (conflict !== null) return without({ type: "unprepared", failure: conflict });
  const { owner, input, loop, mode, encoding, revision } = context.spec();
  const plan = {
    ...{ name, owner, input, loop, mode, encoding, revision, reached, fallback },
    destination: destination.destination,
    maxRunMs: settings.MAX_RUN_MS,
    logMaxBytes: settings.LOG_MAX_BYTES,
    target: context.targetOf(destination.destination),
  };
  const prepared = await prepare(plan, places, context, launch, clock.now());
  switch (prepared.outcome) {
    case "started": {
      const { pids, contents } = prepared;
      const run = { pids, startedAt: contents.record.startedAt };
      return { event: { type: "prepared", run }, contents };
    }
    case "found": {
      const why = `FFmpeg ${prepared.ffmpeg.pid} of this stream is on the air already`;
      return without({ type: "locked", why });
    }
    case "locked":
      return without({ type: "locked", why: prepared.why });
    case "failed":
      return without({ type: "unprepared", failure: prepared.failure });
  }
};

/** No descriptors left, say: the stream tries again, and the daemon goes on. */
export const couldNot = ({ log, name }: StreamContext, error: unknown): Event => {
  const message = messageOf(error);
  log.error({ event: "internal", error }, `${name}: could not be started: ${message}`);
  return { type: "unprepared", failure: { reason: "spawn-failed", permanent: false, message } };
};
