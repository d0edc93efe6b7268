import type { StreamStatus } from "../../shared/contract/status.ts";

/**
 * What others may see of a stream. Made of what is allowed and not by leaving out: a fact that is added
 * to the status is nobody else's until it stands here. Nothing of it can hold a path, a host, a key or
 * words of FFmpeg's.
 */
export const reduced = (stream: StreamStatus): StreamStatus => {
  const { name, owner, state, desired, health, since, startedAt, restarts, usage } = stream;
  return {
    ...{ name, owner, state, desired, health, since, startedAt, restarts },
    usage: usage === null ? null : usageOf(usage),
    mayControl: false,
    pid: null,
    retryAt: null,
    stopAt: null,
    input: "",
    position: null,
    outputs: [],
    progress: null,
    tracks: null,
    lastExit: null,
    lastError: null,
    note: null,
  };
};

const usageOf = ({
  cpuPercent,
  memoryBytes,
  pssBytes,
  at,
  warnings,
}: NonNullable<StreamStatus["usage"]>): StreamStatus["usage"] => ({
  ...{ cpuPercent, memoryBytes, pssBytes, at, warnings },
});
