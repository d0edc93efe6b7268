import type { Encoder } from "../../shared/contract/daemon.ts";
import { type Ended, runBounded } from "../media/bounded.ts";
import { CANDIDATES, type Candidate } from "./candidates.ts";
import { type Device, renderNodes } from "./devices.ts";
import { inTurn } from "./in-turn.ts";
import { type Outcome, tryEncoder } from "./trial.ts";

/** What was found out about every candidate, in the order of preference. */
export type Detection = {
  readonly encoders: readonly Encoder[];
  /** False where something did not answer in time: another detection may find more. */
  readonly complete: boolean;
  /** Nothing speaks against software encoding but that the machine, or this daemon, stood still. */
  readonly isSoftwareUnheard: boolean;
};

export type Conditions = {
  readonly ffmpeg: string;
  readonly devices: readonly Device[];
  /** False where hardware encoding is switched off: no driver is touched then. */
  readonly hardware: boolean;
  readonly withinMs: number;
  readonly signal: AbortSignal;
};

/** Each takes most of one processor for a twentieth of a second. */
const AT_ONCE = 3;
const MOST_NODES = 8;
const MOST_LIST_BYTES = 1 << 20;
/** What FFmpeg would use by itself, and names in its complaint where there is none. */
const USUAL_NODE: Device = { path: "/dev/dri/renderD128", usable: true };

/** Lists FFmpeg's encoders, then tries every candidate. Never throws, and settles in time. */
export const detect = async (conditions: Conditions): Promise<Detection> => {
  const { ffmpeg, signal, withinMs } = conditions;
  const deadline = performance.now() + withinMs;
  const listed = await runBounded("encoders", [ffmpeg, "-hide_banner", "-encoders"], {
    withinMs: withinMs / 2,
    mostBytes: MOST_LIST_BYTES,
    signal,
  });
  const dead = unanswered(ffmpeg, listed, withinMs / 2);
  if (dead !== null) {
    const encoders = CANDIDATES.map((candidate) => broken(candidate, dead));
    return { encoders, complete: false, isSoftwareUnheard: listed.timedOut };
  }
  const names = namesIn(listed.stdout.toString("utf8"));
  // Everything else falls back on the last, so it has the first turn.
  const jobs = CANDIDATES.toReversed().map((candidate) => ({
    candidate,
    attempts: attemptsFor(candidate, names, conditions, deadline),
  }));
  const outcomes = await inTurn(
    jobs.flatMap(({ attempts }) => (attempts.ok ? attempts.list : [])),
    AT_ONCE,
  );
  const results = jobs.map(({ candidate, attempts }) =>
    attempts.ok
      ? verdict(candidate, outcomes.splice(0, attempts.list.length))
      : { encoder: broken(candidate, attempts.reason), hung: false },
  );
  return {
    encoders: results.map(({ encoder }) => encoder).toReversed(),
    complete: !results.some(({ hung }) => hung),
    isSoftwareUnheard: results.some(({ encoder, hung }) => encoder.kind === "software" && hung),
  };
};

type Tried = { readonly device: Device | null; readonly outcome: Outcome };
type Attempts =
  | { readonly ok: true; readonly list: ReadonlyArray<() => Promise<Tried>> }
  | { readonly ok: false; readonly reason: string };

const attemptsFor = (
  candidate: Candidate,
  names: ReadonlySet<string>,
  { ffmpeg, devices, hardware, signal }: Conditions,
  deadline: number,
): Attempts => {
  if (candidate.kind === "hardware" && !hardware)
    return { ok: false, reason: "not tried: HARDWARE_ENCODING_ENABLED is false" };
  // A list that cannot be read nominates all.
  if (names.size > 0 && !names.has(candidate.name))
    return { ok: false, reason: "this FFmpeg was built without it" };
  const nodes = renderNodes(devices).slice(0, MOST_NODES);
  const where = candidate.needsRenderNode ? (nodes.length > 0 ? nodes : [USUAL_NODE]) : [null];
  return {
    ok: true,
    list: where.map((device) => async () => {
      const withinMs = deadline - performance.now();
      return {
        device,
        outcome: await tryEncoder({ ffmpeg, candidate, device, withinMs, signal }),
      };
    }),
  };
};

/** The first device that it works on; where it works on none, why not on the first. */
const verdict = (
  candidate: Candidate,
  tried: readonly Tried[],
): { readonly encoder: Encoder; readonly hung: boolean } => {
  const best = tried.find(({ outcome }) => outcome.works) ?? tried[0];
  if (best === undefined) throw new Error(`${candidate.name} was not tried`);
  const { device, outcome } = best;
  const { name, kind } = candidate;
  const place = device === USUAL_NODE ? null : (device?.path ?? null);
  if (outcome.works)
    return { encoder: { name, kind, works: true, reason: null, device: place }, hung: false };
  const { reason, hung } = outcome;
  return { encoder: { name, kind, works: false, reason, device: place }, hung };
};

const broken = ({ name, kind }: Candidate, reason: string): Encoder => ({
  name,
  kind,
  works: false,
  reason,
  device: null,
});

/** Why this FFmpeg is not asked any further; null where it answered. */
const unanswered = (ffmpeg: string, listed: Ended, withinMs: number): string | null => {
  if (listed.timedOut)
    return `${ffmpeg} -encoders did not answer within ${Math.round(withinMs / 100) / 10} s`;
  return listed.exitCode === null && listed.stderr === "" ? `${ffmpeg} cannot be run` : null;
};

/** Names in the output of `-encoders`: ` V....D libx264   libx264 H.264 ...`. */
const namesIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/^ V\S{5} ([a-z0-9_]+)/gm)].map(([, name = ""]) => name));
