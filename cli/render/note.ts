import type { StreamStatus } from "../../shared/contract/status.ts";
import { printable } from "../../shared/stream-name.ts";
import { isOurs } from "../ours.ts";
import { clock, playhead, spoken } from "./time.ts";

/** What there is to say about a stream in one line: where it is, or what is wrong; "-" for nothing. */
export const streamNote = (stream: StreamStatus, now: number): string => {
  // Of another's nothing is told, not even when it is tried again.
  if (!isOurs(stream)) return "-";
  const said = [stream.note, whereOrWhy(stream, now), untilWhen(stream, now)].filter(
    (part) => part !== null,
  );
  const parts = new Set(said);
  return parts.size === 0 ? "-" : printable([...parts].join("; "), 1000);
};

const whereOrWhy = (stream: StreamStatus, now: number): string | null => {
  const error = stream.lastError?.message ?? null;
  switch (stream.state) {
    case "live":
    case "starting":
      return place(stream) ?? (stream.state === "starting" ? error : null);
    case "backoff":
      return [retry(stream, now), error].filter((part) => part !== null).join(": ");
    case "finished":
      return error ?? "played to its end";
    case "waiting":
      return error === null ? "waits for a slot" : `waits for a slot: ${error}`;
    case "stopped":
    case "stopping":
    case "failed":
    case "foreign":
    default:
      return error;
  }
};

const untilWhen = ({ stopAt }: StreamStatus, now: number): string | null =>
  // A daemon of an earlier release does not say.
  typeof stopAt === "string" ? `until ${clock(stopAt, now)}` : null;

const retry = ({ retryAt }: StreamStatus, now: number): string => {
  const left = retryAt === null ? 0 : Date.parse(retryAt) - now;
  return left > 0 ? `retry in ${spoken(Math.ceil(left / 1000) * 1000)}` : "retry now";
};

const place = ({ input, position }: StreamStatus): string | null => {
  if (position === null) return null;
  const file = input.slice(input.lastIndexOf("/") + 1);
  return `${file} ${playhead(position.ms)}/${playhead(position.durationMs)}`;
};
