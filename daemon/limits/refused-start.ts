import { StreamBroError } from "../../shared/errors.ts";
import type { Log } from "../log/log.ts";
import type { LimitRefusal, StreamLimiter } from "./stream-limiter.ts";

/** Names that are listed of streams that could be stopped instead. */
const MOST_NAMED = 10;

/**
 * The error of a start that found no slot: what is reached, and on a second line what to do; `isAdmin`
 * where whoever asked may know of everybody's streams, and not of the owner's alone. Its data
 * are the counts, the limits, which of the two it is, and the design document's `httpStatus`.
 */
export const refusedStart = (
  name: string,
  refusal: LimitRefusal,
  limiter: Pick<StreamLimiter, "streamsOf">,
  isAdmin: boolean,
): StreamBroError => {
  const { message, ...counts } = refusal;
  const { scope, user } = refusal;
  const running = limiter.streamsOf(scope === "user" || !isAdmin ? user : undefined);
  const sentence = `${name}: not started: ${message}.\n${adviceOf(refusal, running, isAdmin)}`;
  return new StreamBroError("STREAM_LIMIT_EXCEEDED", sentence, { httpStatus: 429, ...counts });
};

const adviceOf = (
  { scope, user }: LimitRefusal,
  running: readonly string[],
  isAdmin: boolean,
): string => {
  if (running.length === 0) {
    const option = scope === "user" ? `--user ${user}=N` : "--global N";
    const raise = `streambro limits set ${option}`;
    return isAdmin ? `Raise it: ${raise}` : `Try again later, or ask an admin for: ${raise}`;
  }
  const named = running.slice(0, MOST_NAMED).join(", ");
  const more = running.length - MOST_NAMED;
  return `Stop one of: ${named}${more > 0 ? ` and ${more} more` : ""}.`;
};

/** The WARN line that the design document asks for. */
export const logRefusedStart = (
  log: Log,
  name: string,
  { message, ...counts }: LimitRefusal,
): void =>
  log.warn(
    { event: "STREAM_LIMIT_EXCEEDED", stream: name, ...counts },
    `${name}: not started: ${message}`,
  );
