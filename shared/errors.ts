/** Exit statuses of the CLI, as README documents them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notLive: 3,
  noSuchStream: 4,
  unreachable: 69,
  tryLater: 75,
  notPermitted: 77,
  invalid: 78,
  timeout: 124,
  interrupted: 130,
} as const;

/**
 * Every failure that a command can end in: its number in JSON-RPC (-32000 to -32099 is the range the
 * specification leaves to applications) and the exit status of the CLI.
 */
export const ERRORS = {
  STREAM_NOT_FOUND: { rpc: -32004, exit: EXIT.noSuchStream },
  STREAM_EXISTS: { rpc: -32009, exit: EXIT.invalid },
  INVALID_SPEC: { rpc: -32010, exit: EXIT.invalid },
  INPUT_UNUSABLE: { rpc: -32011, exit: EXIT.failed },
  DESTINATION_IN_USE: { rpc: -32012, exit: EXIT.failed },
  FOREIGN_PROCESS: { rpc: -32013, exit: EXIT.failed },
  OPERATION_FAILED: { rpc: -32014, exit: EXIT.failed },
  STORAGE_FAILED: { rpc: -32015, exit: EXIT.failed },
  SHUTTING_DOWN: { rpc: -32016, exit: EXIT.tryLater },
  PROTOCOL_UNSUPPORTED: { rpc: -32017, exit: EXIT.unreachable },
  STREAM_LIMIT_EXCEEDED: { rpc: -32018, exit: EXIT.tryLater },
  NOT_PERMITTED: { rpc: -32019, exit: EXIT.notPermitted },
  INVALID_SETTING: { rpc: -32020, exit: EXIT.invalid },
  SUBSCRIBERS_EXCEEDED: { rpc: -32031, exit: EXIT.tryLater },
  TOO_MANY_REQUESTS: { rpc: -32032, exit: EXIT.tryLater },
  INTERNAL: { rpc: -32603, exit: EXIT.failed },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A failure somebody expected: a code from the table and a sentence for the operator. */
export class StreamBroError extends Error {
  override readonly name = "StreamBroError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
