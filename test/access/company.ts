import { LeftAlone } from "../../daemon/registry/left-alone.ts";
import type { Registry } from "../../daemon/registry/registry.ts";
import type { Asker } from "../../daemon/access/asker.ts";
import { Sight } from "../../daemon/access/sight.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";

/** A stream's status with a fact in every field, each of them as telling as it can be. */
export const telling = (
  name: string,
  owner: string,
  secret = `/srv/${name}/key`,
): StreamStatus => ({
  ...{ name, owner, mayControl: true, state: "backoff", desired: "running", health: "stalled" },
  ...{ since: "2026-11-23T00:00:00.000Z", startedAt: "2026-11-23T00:00:01.000Z" },
  ...{ pid: 4_711_471, restarts: 3, retryAt: "2027-01-01T00:00:00.000Z" },
  ...{ stopAt: "2027-01-02T00:00:00.000Z", input: secret },
  position: { ms: 8_150_815, durationMs: 8_150_816, cycle: 8_150_817 },
  outputs: [
    {
      ...{ url: `rtmp://host/${secret}`, health: "stalled", bytes: 9_191_919, bitrateKbps: 1 },
      ...{ backlogBytes: 9_191_918, rttMs: 20, retransmits: 0, healthBy: "kernel", error: secret },
    },
  ],
  progress: { outTimeMs: 7_272_727, frame: 7_272_728, fps: 25, speed: 1 },
  usage: {
    ...{ cpuPercent: 1.5, memoryBytes: 1_000, pssBytes: 500, warnings: 1 },
    at: "2026-11-23T00:01:00.000Z",
  },
  tracks: {
    video: { action: "encode", encoder: secret, fallback: secret, size: secret },
    audio: { action: "encode" },
  },
  lastExit: {
    ...{ code: 171, signal: secret, reason: "unknown", message: secret },
    at: "2026-11-22T00:00:00.000Z",
  },
  lastError: { code: secret, message: secret },
  note: secret,
});

/** A registry of which only whose the streams are is of interest. */
export const registryOf = (owners: Readonly<Record<string, string>>): Registry => {
  const leftAlone = new LeftAlone({ hold: () => {}, unregisterStream: () => {} });
  const streams = new Map(
    Object.entries(owners).map(([name, owner]) => [
      name,
      { spec: { name, owner }, status: () => telling(name, owner) },
    ]),
  );
  const get = (name: string): unknown => streams.get(name);
  const registry = { streams, leftAlone, get, sorted: () => [...streams.values()] };
  return registry as unknown as Registry;
};

export const anna: Asker = { role: "user", uid: 1000, user: "anna" };
export const admin: Asker = { role: "admin", uid: 0, user: "root" };

/** How somebody sees anna's radio and bob's news, and old, which was anna's. */
export const seenBy = (asker: Asker, showsOthers: boolean): Sight =>
  new Sight(asker, {
    registry: registryOf({ radio: "anna", news: "bob" }),
    showsOthers: () => showsOthers,
    remembers: (name, owner) => `${name} of ${owner}` === "old of anna",
  });
