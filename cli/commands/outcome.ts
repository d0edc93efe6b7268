import type { Awaited, Goal, Patience } from "../client/await-state.ts";
import { awaitState } from "../client/await-state.ts";
import { sentenceOf } from "../client/failure.ts";
import { EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import type { StreamStatus } from "../../shared/contract/status.ts";
import { printJson, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { streamNote } from "../render/note.ts";
import { spoken } from "../render/time.ts";

/** Of a wait: what for, how long, and since when it is counted. */
export type Wish = {
  readonly goal: Goal;
  readonly timeoutMs: number | null;
  readonly begun: number;
  /** Whether the stream was where it is wanted before anything was asked. */
  readonly already?: boolean;
};

/** One promise for SIGINT, from which on the signal no longer ends the process. */
export const interruption = async ({ terminal }: Context): Promise<void> =>
  new Promise((resolve) => {
    terminal.onInterrupt(resolve);
  });

/** Waits for one stream and says how it went; the value is the exit status. */
export const awaitAndTell = async (
  context: Context,
  name: string,
  wish: Wish,
  patience: Pick<Patience, "interrupted" | "unseen">,
): Promise<number> => {
  const { now } = context.terminal;
  const deadline = wish.timeoutMs === null ? null : wish.begun + wish.timeoutMs;
  const awaited = await awaitState(context.daemon, name, wish.goal, { ...patience, deadline, now });
  const stream = "stream" in awaited ? awaited.stream : null;
  if (context.json) printJson(context, { version: 1, name, outcome: awaited.kind, stream });
  return tell(context, name, wish, awaited);
};

const tell = (context: Context, name: string, wish: Wish, awaited: Awaited): number => {
  const { terminal } = context;
  switch (awaited.kind) {
    case "reached": {
      say(context, `${name}: ${reached(wish, terminal.now() - wish.begun)}`);
      return EXIT.ok;
    }
    case "never":
      terminal.err(`${name}: not ${wish.goal}: ${atRest(awaited.stream)}`);
      return EXIT.failed;
    case "timeout": {
      const why =
        awaited.failure === null
          ? progressOf(awaited.stream, terminal.now())
          : sentenceOf(awaited.failure);
      terminal.err(`${name}: not ${wish.goal} within ${spoken(wish.timeoutMs ?? 0)}: ${why}`);
      return EXIT.timeout;
    }
    case "interrupted":
      terminal.err(
        `${name}: interrupted; the stream goes on${
          awaited.stream === null ? "" : ` (${awaited.stream.state})`
        }.`,
      );
      return EXIT.interrupted;
    case "failed":
    default:
      return reportFailure(context, awaited.failure, name);
  }
};

const reached = ({ goal, already }: Wish, tookMs: number): string => {
  if (already === true) return `already ${goal}`;
  return tookMs < 50 ? goal : `${goal} after ${spoken(tookMs)}`;
};

const atRest = ({ state, lastError }: StreamStatus): string =>
  lastError === null ? `it is ${state}.` : `${state}, ${printable(lastError.message, 2000)}`;

const progressOf = (stream: StreamStatus | null, now: number): string => {
  if (stream === null) return "the daemon has not said how it is.";
  const note = streamNote(stream, now);
  return note === "-" ? `it is ${stream.state}.` : `${stream.state}, ${note}`;
};
