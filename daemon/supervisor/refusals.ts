import { messageOf } from "../log/message-of.ts";
import { type ErrorCode, StreamBroError } from "../../shared/errors.ts";
import type { Failure } from "../ffmpeg/failure.ts";

export const foreign = (name: string, why: string): StreamBroError =>
  new StreamBroError(
    "FOREIGN_PROCESS",
    `${name}: ${why}. This daemon did not start it and leaves it alone.`,
  );

export const notStarted = (code: ErrorCode, name: string, { message }: Failure): StreamBroError =>
  new StreamBroError(code, `${name}: not started: ${message}`);

export const noSuchStream = (name: string): StreamBroError =>
  new StreamBroError(
    "STREAM_NOT_FOUND",
    `${name}: there is no stream of this name. See: streambro ls`,
  );

export const shuttingDown = (): StreamBroError =>
  new StreamBroError("SHUTTING_DOWN", "The daemon is stopping. Try again when it is back.");

export const stoppedUnsaved = (name: string, error: unknown): StreamBroError => {
  const why = messageOf(error).replace(/^Nothing was changed: /, "");
  const sentence = `${name}: stopped, but the next daemon will start it again: ${why}`;
  return new StreamBroError("STORAGE_FAILED", sentence);
};
