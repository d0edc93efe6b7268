import type { ResourceUsage } from "../health/resource-monitor.ts";
import type { SpecRecord } from "../store/schemas.ts";
import type { StreamContext } from "./stream-context.ts";

/** What a stream needs of the registry beside its surroundings. */
export type StreamPorts = Omit<StreamContext, "spec" | "desired" | "destination" | "finish"> & {
  save(record: SpecRecord, inForce: boolean): Promise<void>;
  trouble(): string | null;
  usage(): ResourceUsage | null;
  /** Takes a slot of the limits, or keeps the one it has. Errors: STREAM_LIMIT_EXCEEDED. */
  takeSlot(): void;
  /** Gives it back where the stream does not need one any more. */
  settleSlot(): void;
  /** When it is to be stopped by itself has changed. */
  scheduled(stopAt: number | null): void;
};
