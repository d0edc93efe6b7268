import type { Settings } from "../../daemon/config/settings.ts";

/** What the policy permits, in milliseconds. Every bound of this suite is here. */

/**
 * A start: the look at the input, the place to go on, the launch, the connection, the first bytes.
 * About a second on a quiet machine; see STARTED_PROGRAMS for a busy one.
 */
export const START_MS = 10_000;
/** A stream on which nobody has inflicted anything may be without a byte so long. */
export const UNDISTURBED_GAP_MS = 3_000;
/**
 * What a start, and what passing on a byte, is held to take on a busy machine: as much longer as so many
 * of the least programs, one after the other, take there (`machine.ts`).
 */
export const STARTED_PROGRAMS = 40;
export const PASSED_PROGRAMS = 10;
/** The stall timeout, the looks that end it, the force-kill timeout. */
const STALLED_END_MS = 10_000 + 3_000 + 5_000;
/**
 * For SRT, on top of the others: either side notices after five seconds that nobody is there, a connection
 * in vain takes three, and the retries in between have their delays.
 */
export const SRT_NOTICE_MS = 15_000;
/** A look at a stream whose runner cannot tell: the sweep, and the grace that a runner has. */
const UNATTENDED_MS = 6_000;
/** A daemon's start, until it answers; and as a start on a busy machine. */
export const DAEMON_START_MS = 10_000;
/** A good client's answer, while others misbehave. */
export const ANSWER_MS = 5_000;
/** How long an FFmpeg may be there before its stream names it, and a stray before it is gone. */
export const OWNED_MS = 15_000;

export type Bounds = {
  /** FFmpeg was killed: it is started again at once. */
  readonly killed: number;
  /** The receiver was away for less than RETRY_YOUNG_MS. */
  readonly receiver: number;
  /** The receiver took no byte, and said nothing. */
  readonly stalled: number;
  /** FFmpeg died while its runner could not tell. */
  readonly untold: number;
  /** The input, or what examines it, was away. */
  readonly input: number;
  /** The wall clock jumped: an outage may look older than it is, and a retry be set in the future. */
  readonly clock: number;
};

export const boundsOf = (
  settings: Pick<
    Settings,
    "RETRY_FIRST_MS" | "RETRY_MAX_MS" | "RETRY_MAX_LATER_MS" | "INPUT_RETRY_MS"
  >,
): Bounds => {
  const { RETRY_FIRST_MS, RETRY_MAX_MS, RETRY_MAX_LATER_MS, INPUT_RETRY_MS } = settings;
  const receiver = RETRY_MAX_MS + START_MS;
  return {
    killed: RETRY_FIRST_MS + START_MS,
    receiver,
    stalled: STALLED_END_MS + receiver,
    untold: UNATTENDED_MS + RETRY_FIRST_MS + START_MS,
    clock: Math.max(RETRY_MAX_LATER_MS, RETRY_MAX_MS) + START_MS,
    input: Math.max(INPUT_RETRY_MS, RETRY_MAX_MS) + START_MS,
  };
};
