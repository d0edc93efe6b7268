import type { Params } from "../../shared/contract/methods.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { MAX_WAIT_MS } from "../../shared/protocol.ts";
import type { Daemon } from "./daemon.ts";
import { isPassing } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { pause, reconnectDelay } from "./pause.ts";

export type Goal = Params<"stream.wait">["for"];

/** How waiting for a stream ended; `stream` is its last known status. */
export type Awaited =
  | { readonly kind: "reached" | "never"; readonly stream: StreamStatus }
  | {
      readonly kind: "timeout";
      readonly stream: StreamStatus | null;
      readonly failure: Failure | null;
    }
  | { readonly kind: "interrupted"; readonly stream: StreamStatus | null }
  | { readonly kind: "failed"; readonly failure: Failure };

export type Patience = {
  /** Unix milliseconds; null to wait for ever. */
  readonly deadline: number | null;
  /** Whether to go on while the daemon cannot be reached, though it never has been. */
  readonly unseen: boolean;
  readonly interrupted: Promise<void>;
  readonly now: () => number;
};

/** A daemon that says "waiting" at once, as one that is shutting down may, is not asked in a loop. */
const BREATHER_MS = 200;

/** Asks until the stream is where it is wanted or will not get there, across restarts of the daemon. */
export const awaitState = async (
  daemon: Daemon,
  name: string,
  goal: Goal,
  patience: Patience,
): Promise<Awaited> => {
  let stream: StreamStatus | null = null;
  const note = (status: StreamStatus): void => {
    stream = status;
  };
  return Promise.race([
    ask(daemon, name, goal, patience, note),
    patience.interrupted.then((): Awaited => ({ kind: "interrupted", stream })),
  ]);
};

const ask = async (
  daemon: Daemon,
  name: string,
  goal: Goal,
  { deadline, unseen, now }: Patience,
  note: (stream: StreamStatus) => void,
): Promise<Awaited> => {
  let stream: StreamStatus | null = null;
  let failures = 0;
  let patient = unseen;
  for (;;) {
    const asked = now();
    const left = deadline === null ? Infinity : Math.max(0, deadline - asked);
    const waitMs = Math.min(MAX_WAIT_MS, left);
    const answer = await daemon.call("stream.wait", { name, for: goal, waitMs }, waitMs);
    let rest = 0;
    if (answer.ok) {
      ({ stream } = answer.result);
      note(stream);
      if (answer.result.outcome !== "waiting") return { kind: answer.result.outcome, stream };
      patient = true;
      failures = 0;
      if (now() - asked < waitMs / 2) rest = BREATHER_MS;
    } else {
      patient ||= answer.failure.reason === "closed" && answer.failure.greeted;
      if (!patient || !isPassing(answer.failure))
        return { kind: "failed", failure: answer.failure };
      failures += 1;
      rest = reconnectDelay(failures);
    }
    const remaining = deadline === null ? Infinity : deadline - now();
    if (remaining <= 0) {
      return { kind: "timeout", stream, failure: answer.ok ? null : answer.failure };
    }
    if (rest > 0) await pause(Math.min(rest, remaining));
  }
};
