import { printable } from "../../shared/stream-name.ts";
import { availableParallelism } from "node:os";
import path from "node:path";
import { messageOf } from "../log/message-of.ts";
import { ffmpegArgv } from "../ffmpeg/argv.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import { BEGINNING, type Landing } from "../media/landing.ts";
import { unopened } from "../media/probe-complaint.ts";
import { openingOf } from "../reach/input.ts";
import { lagOf } from "../media/lag.ts";
import { timelineOf } from "../media/playlist.ts";
import { resumeAfter } from "../media/resume.ts";
import { type Examined, type Means, examine } from "./examine.ts";
import { type Wish, tracksOf } from "../media/track-plan.ts";
import { findMarked } from "../runner/find-runs.ts";
import { type Identity, bootId } from "../runner/identity.ts";
import { lockState } from "../runner/lock.ts";
import type { Launcher } from "../runner/launch.ts";
import {
  type Contents,
  PLAYLIST,
  PRESET,
  layOut,
  placeFor,
  removeRunDirectory,
} from "../runner/run-directory.ts";
import type { Pids } from "../runner/run-record.ts";
import { rotateWhenLonger, sizeOf } from "../logs/log-file.ts";
import type { StreamPlaces } from "../store/layout.ts";
import type { Reached, RunRecord } from "../store/schemas.ts";

type Playable = Extract<Examined, { ok: true }>;

/** Longest that finding the place to go on may take. */
const LANDING_MS = 25_000;

export type Plan = Wish & {
  readonly name: string;
  readonly owner: string;
  readonly input: string;
  readonly loop: boolean;
  readonly revision: number;
  readonly destination: {
    readonly url: string;
    readonly secrets: Readonly<Record<string, string>>;
  };
  /** How far the run before came, or null to begin at the beginning. */
  readonly reached: Reached | null;
  /** Why software is to encode: its hardware encoder has failed; null where that is not so. */
  readonly fallback: string | null;
  readonly maxRunMs: number;
  readonly logMaxBytes: number;
  /** Which receiver and key it is, in a form that tells nothing. */
  readonly target: string;
};

export type Prepared =
  | { readonly outcome: "started"; readonly pids: Pids; readonly contents: Contents }
  /** A process of this stream was on the air already. */
  | { readonly outcome: "found"; readonly ffmpeg: Identity }
  | { readonly outcome: "locked"; readonly why: string }
  | { readonly outcome: "failed"; readonly failure: Failure };

/** From a specification to a running FFmpeg: examine, find the place to go on, lay out, launch. */
export const prepare = async (
  plan: Plan,
  places: StreamPlaces,
  means: Means,
  launch: Launcher,
  now: number,
): Promise<Prepared> => {
  const { owner, input, mode, encoding, destination, fallback } = plan;
  const softwareOnly = fallback !== null;
  const known = plan.reached?.media ?? null;
  const wanted = { owner, input, mode, encoding, url: destination.url, softwareOnly, known };
  const examined = await examine(wanted, means);
  if (!examined.ok) return { outcome: "failed", failure: examined.failure };
  const landing = await landingAfter(plan, examined, means);
  if (landing === null) return { outcome: "failed", failure: hungDisk(plan.input) };
  const record = recordOf(plan, examined, landing, places, now);
  const onAir = findMarked(places.marker).get(places.marker);
  if (onAir !== undefined) return { outcome: "found", ffmpeg: onAir };
  // Before the run directory is touched: it may be that of a process which this user cannot see.
  const lock = await lockState(places.lock);
  if (lock === "held") return { outcome: "locked", why: locked(places.lock) };
  if (lock === "unknown") return failedToSpawn(unlockable(places.lock));
  // It is to stop by now: nothing is sent any more.
  if (means.ending?.aborted === true) return { outcome: "failed", failure: ENDING };
  const contents = { record, secrets: plan.destination.secrets };
  const place = placeFor(examined.input.opening, places.run);
  const preset = Object.keys(contents.secrets).length === 0 ? null : path.join(place, PRESET);
  try {
    // Also here: a stream that fails again and again is hardly ever looked at.
    rotateWhenLonger(places.log, plan.logMaxBytes);
  } catch {
    // It goes on the air without.
  }
  try {
    removeRunDirectory(places.run);
    layOut(places.run, contents);
  } catch (error) {
    return { outcome: "failed", failure: noRoom(places.run, error) };
  }
  const launched = await launch({
    runDirectory: places.run,
    lock: places.lock,
    log: places.log,
    logMaxBytes: plan.logMaxBytes,
    marker: places.marker,
    input: examined.input,
    argv: ffmpegArgv({
      ffmpeg: means.tools.ffmpeg,
      playlist: path.join(place, PLAYLIST),
      plan: examined.plan,
      encoder: examined.encoder,
      output: { url: plan.destination.url, preset },
    }),
  });
  if (launched.ok) return { outcome: "started", pids: launched.pids, contents };
  if (launched.why === "refused") {
    const { reason, message } = unopened(examined.input, launched.refusal.is, launched.refusal.at);
    return { outcome: "failed", failure: { reason, permanent: false, message } };
  }
  if (launched.why === "locked") return { outcome: "locked", why: locked(places.lock) };
  // A launch that took too long may have come about all the same.
  const late = findMarked(places.marker).get(places.marker);
  return late === undefined ? failedToSpawn(launched.message) : { outcome: "found", ffmpeg: late };
};

const ENDING: Failure = {
  reason: "stopped",
  permanent: false,
  message: "the daemon is stopping",
};

const failedToSpawn = (message: string): Prepared => ({
  outcome: "failed",
  failure: { reason: "spawn-failed", permanent: false, message },
});

const locked = (lock: string): string =>
  `a process that this daemon cannot see holds ${lock}. Find it with: fuser -v ${lock}`;

const unlockable = (lock: string): string =>
  `its lock ${lock} cannot be taken. Look at the directory's owner, its disk, and whether flock is installed`;

const recordOf = (
  plan: Plan,
  { input, media, plan: tracks, encoder, fallback }: Playable,
  landing: Landing,
  places: StreamPlaces,
  now: number,
): RunRecord => {
  const timeline = timelineOf({ media, loop: plan.loop, landing, maxRunMs: plan.maxRunMs });
  return {
    version: 1,
    name: plan.name,
    bootId: bootId(),
    revision: plan.revision,
    startedAt: now,
    input: plan.input,
    opening: openingOf(input),
    loop: plan.loop,
    url: plan.destination.url,
    target: plan.target,
    media,
    timeline,
    tracks: tracksOf(tracks, encoder, encoder === null ? null : (plan.fallback ?? fallback)),
    lagMs: lagOf(tracks, encoder, availableParallelism()),
    logFrom: sizeOf(places.log),
  };
};

/**
 * Where to begin. What an earlier run reached counts only in the very same file. Null where the disk
 * does not answer: to begin at the beginning would lose the place.
 */
const landingAfter = async (
  { reached }: Plan,
  { input, media }: Pick<Playable, "input" | "media">,
  { tools, ending }: Means,
): Promise<Landing | null> => {
  if (reached === null) return BEGINNING;
  const { sizeBytes, mtimeMs } = reached.media;
  if (sizeBytes !== media.sizeBytes || mtimeMs !== media.mtimeMs) return BEGINNING;
  const { timeline, outTimeMs, lagMs } = reached;
  if (outTimeMs === null) return { fromMs: timeline.fromMs, leadMs: timeline.leadMs };
  const timeout = AbortSignal.timeout(LANDING_MS);
  const deadline = ending === undefined ? timeout : AbortSignal.any([timeout, ending]);
  const sentMs = Math.max(0, outTimeMs - lagMs);
  const ended = { input, media: reached.media, timeline, outTimeMs: sentMs };
  const landing = await resumeAfter(ended, tools, deadline);
  return deadline.aborted ? null : landing;
};

const hungDisk = (input: string): Failure => ({
  reason: "timed-out",
  permanent: false,
  message: `${printable(path.basename(input))}: its disk does not answer. Look at the mount`,
});

const noRoom = (directory: string, error: unknown): Failure => ({
  reason: (error as NodeJS.ErrnoException).code === "ENOSPC" ? "disk-full" : "spawn-failed",
  permanent: false,
  message: `the run directory ${directory} cannot be written: ${messageOf(error)}. Make room on its disk, or see to its owner`,
});
