import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Stream } from "../supervisor/stream.ts";
import type { Finding, ResourceUsage } from "./resource-monitor.ts";
import { figures } from "./thresholds.ts";

type Surroundings = {
  readonly streams: ReadonlyMap<string, Stream>;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Says what the monitor found, and does what a stream's `onResourceBreach` asks for. */
export const respondTo =
  ({ streams, log, metrics }: Surroundings) =>
  ({ verdict, usage }: Finding): void => {
    const stream = streams.get(usage.streamId);
    if (stream === undefined) return;
    const { name, owner } = stream.spec;
    const fields = fieldsOf(usage);
    if (verdict === "warn") {
      metrics.resourcesWarned(owner);
      // The design document words this one.
      const sentence = `Stream ${name} using high resources: ${figures(usage)}`;
      log.warn({ event: "RESOURCE_WARNING", ...fields }, sentence);
    } else if (verdict === "clear") {
      const sentence = `${name}: resources are back to normal: ${figures(usage)}`;
      log.info({ event: "resources-normal", ...fields }, sentence);
    } else breached(stream, usage, log, metrics);
  };

const breached = (stream: Stream, usage: ResourceUsage, log: Log, metrics: Metrics): void => {
  const { name, owner, onResourceBreach: action } = stream.spec;
  const { state } = stream.supervisor;
  // It may be on its way out, or another process by now.
  if (state.is !== "live" && state.is !== "starting") return;
  if (state.run.pids.ffmpeg.pid !== usage.processId) return;
  metrics.resourcesBreached(owner, action);
  if (action === "warn") return;
  const using = `using high resources for too long: ${figures(usage)}`;
  const fields = { event: "resource-breach", action, ...fieldsOf(usage) };
  if (action === "restart") {
    log.warn(fields, `${name}: restarting it, ${using}`);
    stream.supervisor.dispatch({ type: "refresh" });
    return;
  }
  log.warn(fields, `${name}: stopping it, ${using}`);
  const message = `stopped for ${using} (--on-resource-breach stop)`;
  const why = { reason: "resource-breach", permanent: true, message } as const;
  stream.stopProcess(usage.processId, why).catch((error: unknown) => {
    log.error({ event: "resource-breach", stream: name, error }, messageOf(error));
  });
};

const fieldsOf = ({ streamId, processId, cpu, memory, pss }: ResourceUsage): object => ({
  stream: streamId,
  pid: processId,
  cpu: Math.round(cpu * 10) / 10,
  memory,
  pss,
});
