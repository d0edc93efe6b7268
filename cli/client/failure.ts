import { ERRORS, EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";

/** Why a call to the daemon came to nothing. */
export type Failure =
  | { readonly reason: "unreachable"; readonly socket: string; readonly code: string }
  /** The connection ended before the answer; `greeted` where a daemon had been there to end it. */
  | { readonly reason: "closed"; readonly socket: string; readonly greeted: boolean }
  | { readonly reason: "garbled"; readonly socket: string }
  | { readonly reason: "silent"; readonly socket: string; readonly ms: number }
  | { readonly reason: "unsupported"; readonly message: string }
  | {
      /** The daemon answered with an error: its number, the name of it where it has one, a sentence. */
      readonly reason: "refused";
      readonly rpc: number;
      readonly code: string | null;
      readonly message: string;
      /** Each by itself, where the daemon told of several. */
      readonly errors?: readonly string[];
    };

/** JSON-RPC's own number for parameters that do not fit the contract: a value nobody can use. */
const INVALID_PARAMS = -32602;

const isErrorCode = (code: string | null): code is keyof typeof ERRORS =>
  code !== null && Object.hasOwn(ERRORS, code);

const refusalStatus = (rpc: number, code: string | null): number => {
  if (isErrorCode(code)) return ERRORS[code].exit;
  if (rpc === INVALID_PARAMS) return EXIT.invalid;
  return Object.values(ERRORS).find((error) => error.rpc === rpc)?.exit ?? EXIT.failed;
};

/** The exit status for a failure. */
export const exitStatusOf = (failure: Failure): number => {
  switch (failure.reason) {
    case "refused":
      return refusalStatus(failure.rpc, failure.code);
    case "unreachable":
      return isForbidden(failure.code) ? EXIT.notPermitted : EXIT.unreachable;
    case "silent":
      return EXIT.timeout;
    case "closed":
    case "garbled":
    case "unsupported":
    default:
      return EXIT.unreachable;
  }
};

/** Whether a daemon that is being restarted explains the failure, so that asking again may help. */
export const isPassing = (failure: Failure): boolean => {
  switch (failure.reason) {
    case "closed":
      return true;
    case "unreachable":
      return !isForbidden(failure.code);
    case "refused":
      return failure.code === "SHUTTING_DOWN";
    case "garbled":
    case "silent":
    case "unsupported":
    default:
      return false;
  }
};

const isForbidden = (code: string): boolean => code === "EACCES" || code === "EPERM";

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  ECONNREFUSED: "connection refused",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EAGAIN: "too many are asking at once",
  ENOTSOCK: "not a socket",
  EPROTOTYPE: "not a stream socket",
  EINVAL: "not a path that a socket can have",
};

const unreachable = (socket: string, code: string): string => {
  const where = `${printable(socket)} (${WHY[code] ?? code})`;
  return isForbidden(code)
    ? `you may not use the daemon at ${where}.\n` +
        "      Its group may:  sudo usermod -aG streambro $USER      and log in again."
    : `no daemon answers at ${where}.\n` +
        "      Start it:  sudo systemctl start streambro      or, as yourself:  streambrod &";
};

/** What is on a further line is advice, set off so that it cannot pass for a line of its own. */
const lines = (message: string): string =>
  message
    .split("\n", 4)
    .map((line) => printable(line, 2000))
    .join("\n      ");

/** What to tell the operator, without a subject in front. */
export const sentenceOf = (failure: Failure): string => {
  switch (failure.reason) {
    case "unreachable":
      return unreachable(failure.socket, failure.code);
    case "closed":
      return `the daemon at ${printable(failure.socket)} hung up before it answered.`;
    case "garbled":
      return `what answers at ${printable(failure.socket)} does not talk like a streambrod.`;
    case "silent":
      return (
        `the daemon at ${printable(failure.socket)} took the request and did not answer within ` +
        `${Math.round(failure.ms / 100) / 10} s.`
      );
    case "refused":
      return isUnknown(failure) ? OLDER : lines(failure.message);
    case "unsupported":
    default:
      return lines(failure.message);
  }
};

const METHOD_NOT_FOUND = -32601;
const OLDER =
  "the daemon is of an older release than this streambro, and does not know that. Restart it with the new one; the streams stay on the air:\n" +
  "      streambro daemon stop --keep-streams";

const isUnknown = ({ rpc, message }: Extract<Failure, { reason: "refused" }>): boolean =>
  rpc === METHOD_NOT_FOUND || (rpc === INVALID_PARAMS && message.includes("Unrecognized key"));
