import { readFileSync } from "node:fs";
import {
  type Identity,
  ageOf,
  bootId,
  existence,
  identify,
  parseStat,
} from "../runner/identity.ts";
import type { Contents } from "../runner/run-directory.ts";
import { type Pids, lookAtRunRecord, readPids } from "../runner/run-record.ts";
import type { StreamPlaces } from "../store/layout.ts";
import type { MemoryRecord, RunRecord } from "../store/schemas.ts";
import type { Run } from "./state.ts";

/** Between the record of a run and its FFmpeg; no clock is set by so little. */
const LAUNCH_MS = 5_000;

/** What an earlier daemon left of a stream. */
export type Left =
  | { readonly is: "nothing" }
  /** A run to take over: alive, or ended with its exit on record. */
  | {
      readonly is: "run";
      readonly record: RunRecord;
      readonly pids: Pids;
      readonly contents: Contents;
    }
  /** FFmpeg is on the air with this stream's marker, and nothing readable says how it was started. */
  | { readonly is: "unreadable"; readonly ffmpeg: Identity; readonly why: string };

/**
 * Looks for a stream's run: by its run directory, and by the marker in /proc where that is gone or
 * wrong, since losing a directory must not make a second pusher.
 */
export const whatIsLeft = (
  places: StreamPlaces,
  memory: Pick<MemoryRecord, "rest"> | null,
  secrets: Contents["secrets"],
  marked: ReadonlyMap<string, Identity>,
): Left => {
  const pids = readPids(places.run);
  // The record of pids is better than the marker, which a child of FFmpeg's would carry too.
  const recorded = pids !== null && existence(pids.ffmpeg) !== "dead" ? pids.ffmpeg : null;
  const onAir = recorded ?? marked.get(places.marker) ?? null;
  const found = lookAtRunRecord(places.run);
  const newer = found.is === "newer" ? found.why : null;
  const remembered = memory?.rest.is === "running" ? memory.rest.run : null;
  // What this release remembers is of another run than one that a newer release has started.
  const records = newer === null ? [found.is === "good" ? found.value : null, remembered] : [];
  const record = records.find((one) => one?.bootId === bootId()) ?? null;
  if (record === null)
    return onAir === null
      ? { is: "nothing" }
      : { is: "unreadable", ffmpeg: onAir, why: whyUnreadable(newer) };
  const run = (those: Pids): Left => ({
    is: "run",
    record,
    pids: those,
    contents: { record, secrets },
  });
  if (onAir !== null && pids?.ffmpeg.pid !== onAir.pid) {
    return run({ runner: runnerOf(onAir, places), ffmpeg: onAir });
  }
  // An exit that was accounted for before is not news.
  const isNews = memory === null || memory.rest.is === "running" || onAir !== null;
  return pids !== null && isNews ? run(pids) : { is: "nothing" };
};

const whyUnreadable = (newer: string | null): string =>
  newer === null ? "how it was started cannot be read" : `its run.json cannot be used: ${newer}`;
/**
 * A run to take over. When it began is known by the kernel's own clock, whatever the wall clock has been
 * set to since then.
 */
export const runFrom = ({ pids, record }: Extract<Left, { is: "run" }>, now: number): Run => {
  const ageMs = ageOf(pids.ffmpeg);
  const startedAt = ageMs === null ? Math.min(record.startedAt, now) : now - ageMs;
  // Written down a moment before the process was there, and better known so where no clock was set.
  const isWritten = Math.abs(startedAt - record.startedAt) < LAUNCH_MS;
  return { pids, startedAt: isWritten ? record.startedAt : startedAt };
};

/** FFmpeg's parent, if it is the runner that was started for this stream. */
const runnerOf = (ffmpeg: Identity, places: StreamPlaces): Identity | null => {
  try {
    const parent = parseStat(readFileSync(`/proc/${ffmpeg.pid}/stat`, "utf8"))?.parent ?? 0;
    if (
      parent <= 1 ||
      !readFileSync(`/proc/${parent}/cmdline`, "utf8").includes(`\0${places.lock}\0`)
    )
      return null;
    const runner = identify(parent);
    return runner !== null && existence(runner) !== "dead" ? runner : null;
  } catch {
    return null;
  }
};
