import type { OutputStatus, StreamStatus, Tracks } from "../../shared/contract/status.ts";
import { type Clock, instant } from "../clock/clock.ts";
import { shownUrl } from "../destination/destination.ts";
import type { ProgressReport } from "../ffmpeg/progress.ts";
import type { Evidence } from "../health/evidence.ts";
import type { ResourceUsage } from "../health/resource-monitor.ts";
import type { SpecRecord } from "../store/schemas.ts";
import { placeOf } from "./progress-made.ts";
import { type State, runOf, shownState } from "./state.ts";
import type { Supervisor } from "./supervisor.ts";

type Ports = {
  /** On a clock that never jumps. */
  monotonic(): number;
  readonly clock: Pick<Clock, "now">;
  usage(): ResourceUsage | null;
  /** Why what happens to it is not being saved. */
  trouble(): string | null;
};

/** A stream as clients see it: absent facts are null, times in UTC, secrets masked. */
export const statusOf = (
  { spec, desired, stopAt }: SpecRecord,
  supervisor: Supervisor,
  ports: Ports,
): StreamStatus => {
  // First: where the clock has been set, that changes what is shown.
  const now = ports.clock.now();
  const [monotonic, usage] = [ports.monotonic(), ports.usage()];
  const { state, session } = supervisor;
  const run = runOf(state);
  const evidence = run === null ? null : (session?.evidence ?? null);
  const { health, why } = supervisor.health.at(state, evidence, monotonic);
  const report = evidence?.report ?? null;
  const { lastExit } = supervisor.track;
  const failure = failureOf(state, lastExit);
  const outputs = spec.outputs.map(({ url, hasKey }): OutputStatus => ({
    url: shownUrl(url, hasKey),
    health,
    bytes: evidence?.acked ?? null,
    bitrateKbps: evidence?.bitrateKbps ?? null,
    backlogBytes: evidence?.connection?.backlog ?? null,
    rttMs: evidence?.connection?.rttMs ?? null,
    retransmits: evidence?.connection?.retransmits ?? null,
    healthBy: basisOf(evidence),
    error: failure?.message ?? null,
  }));
  return {
    name: spec.name,
    owner: spec.owner,
    mayControl: true,
    state: shownState(state),
    desired,
    health,
    since: instant(supervisor.since),
    startedAt: run === null ? null : instant(run.startedAt),
    pid: run?.pids.ffmpeg.pid ?? null,
    restarts: supervisor.track.restarts,
    retryAt: state.is === "backoff" ? instant(state.retryAt) : null,
    stopAt: stopAt === null ? null : instant(stopAt),
    input: spec.input,
    position: positionOf(supervisor),
    outputs,
    progress:
      report === null
        ? null
        : {
            outTimeMs: report.outTimeMs,
            frame: report.frame,
            fps: report.fps,
            speed: evidence?.speed ?? speedOf(report),
          },
    usage: run === null || usage === null ? null : usageOf(usage),
    tracks: run === null ? null : tracksOf(supervisor),
    lastExit,
    lastError: failure === null ? null : { code: failure.reason, message: failure.message },
    note: noteOf(state, supervisor, now - supervisor.since, why) ?? ports.trouble(),
  };
};

const waits = (ahead: number): string =>
  ahead === 0
    ? "waits for its turn to start: it is the next one"
    : `waits for its turn to start: ${ahead} ${ahead === 1 ? "stream begins" : "streams begin"} before it`;

/** What release 0.1 started, it copied. */
const COPIED: Tracks = {
  video: { action: "copy", encoder: null, fallback: null },
  audio: { action: "copy" },
};

const tracksOf = ({ session }: Supervisor): Tracks | null =>
  session === null ? null : (session.contents.record.tracks ?? COPIED);

const basisOf = (evidence: Evidence | null): "kernel" | "progress" | null => {
  const tells = evidence?.kernelTells ?? null;
  return tells === null ? null : tells ? "kernel" : "progress";
};

/** FFmpeg's first figures divide by next to nothing. */
const speedOf = ({ outTimeMs, speed }: ProgressReport): number | null =>
  (outTimeMs ?? 0) < 1_000 ? null : speed;

const usageOf = ({
  cpu,
  memory,
  pss,
  warnings,
  lastCheck,
}: ResourceUsage): StreamStatus["usage"] => ({
  cpuPercent: Math.round(cpu * 10) / 10,
  memoryBytes: memory,
  pssBytes: pss,
  warnings,
  at: lastCheck.toISOString(),
});

const positionOf = (supervisor: Supervisor): StreamStatus["position"] => {
  const { session, track } = supervisor;
  const outTimeMs = session === null ? null : track.outTimeOf(session);
  if (session === null || outTimeMs === null) return null;
  const { record } = session.contents;
  const { ms, cycle } = placeOf(record, outTimeMs);
  const durationMs = record.media.durationMs;
  return { ms: Math.round(Math.min(ms, durationMs)), durationMs: Math.round(durationMs), cycle };
};

const failureOf = (
  state: State,
  lastExit: StreamStatus["lastExit"],
): { reason: string; message: string } | null => {
  // Nobody asked for that stop.
  if (state.is === "stopped" && lastExit?.reason === "resource-breach") return lastExit;
  if (state.is === "failed" || state.is === "backoff") return state.failure;
  if (state.is === "waiting") return { reason: "STREAM_LIMIT_EXCEEDED", message: state.why };
  if (state.is === "foreign") return { reason: "foreign", message: state.why };
  return null;
};

/** A killed process is gone in moments; one that is not is waiting in the kernel. */
const UNENDING_MS = 10_000;

const noteOf = (
  state: State,
  supervisor: Supervisor,
  forMs: number,
  poor: string | null,
): string | null => {
  if (state.is === "foreign") return state.why;
  const { ahead } = supervisor.turn;
  if (state.is === "preparing" && ahead !== null) return waits(ahead);
  if (state.is === "stopping" && state.force === "kill" && forMs > UNENDING_MS) {
    return "FFmpeg does not end even by SIGKILL: it may be waiting for a disk or a network file system";
  }
  // In backoff the last error says it.
  if (poor !== null && state.is !== "backoff") return poor;
  const fallback = tracksOf(supervisor)?.video.fallback ?? null;
  return (
    supervisor.session?.note ?? (fallback === null ? null : `encoded by software: ${fallback}`)
  );
};
