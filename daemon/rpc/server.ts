import {
  JSONRPCServer,
  createJSONRPCErrorResponse,
  isJSONRPCID,
  isJSONRPCRequest,
} from "json-rpc-2.0";
import type { JSONRPCRequest, JSONRPCResponse } from "json-rpc-2.0";
import { ERRORS, StreamBroError } from "../../shared/errors.ts";
import {
  METHODS,
  type MethodName,
  type Params,
  type Result,
} from "../../shared/contract/methods.ts";
import { printable } from "../../shared/stream-name.ts";
import type { Log } from "../log/log.ts";
import type { Channel } from "./channel.ts";
import type { Peer } from "./peer.ts";
import { ANSWERS_LEFT, type Share } from "./shares.ts";
import { openRpcDocument } from "./openrpc.ts";

/** Who asks. */
export type Caller = {
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal;
  /** Null where the kernel cannot be asked. */
  readonly peer: Peer | null;
  /** Where it can be told something unasked. */
  readonly channel?: Channel;
  /** What of the daemon it may take; without one, as much as it asks for. */
  readonly share?: Share;
};

/** One function a method of the contract, and what it needs to know of who calls. */
export type Handlers<C extends Caller = Caller> = {
  readonly [M in MethodName]: (params: Params<M>, caller: C) => Promise<Result<M>>;
};

/** Longest batch; its answers are held until the last of them is there. */
const MOST_IN_A_BATCH = 100;

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const INVALID_PARAMS = -32_602;

/** Answers one line of input; null where there is nothing to answer. Never throws or rejects. */
export type Answerer = (line: string, caller: Caller) => Promise<string | null>;

export const answerer = (handlers: Handlers, version: string, log: Log): Answerer => {
  const server = jsonRpcServer(handlers, version, log);
  const answered = async (message: unknown, caller: Caller): Promise<JSONRPCResponse | null> => {
    if (!isRequest(message)) {
      return refused(INVALID_REQUEST, "This is not a JSON-RPC 2.0 request.");
    }
    if (caller.share?.isFull() === true) return message.id === undefined ? null : full(message.id);
    return server.receive(message, caller);
  };
  const one = async (message: unknown, caller: Caller): Promise<string | null> => {
    const answer = await answered(message, caller);
    if (answer === null) return null;
    const text = JSON.stringify(answer);
    caller.share?.hold(text.length);
    return text;
  };
  return async (line, caller) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return JSON.stringify(refused(PARSE_ERROR, "This line is not JSON."));
    }
    if (!Array.isArray(message)) return one(message, caller);
    if (message.length === 0 || message.length > MOST_IN_A_BATCH) {
      return JSON.stringify(
        refused(INVALID_REQUEST, `A batch holds 1 to ${MOST_IN_A_BATCH} requests.`),
      );
    }
    const { share } = caller;
    const begin = async (entry: unknown): Promise<string | null> =>
      share === undefined ? one(entry, caller) : share.begin(() => one(entry, caller));
    const answers = await Promise.all(message.map(begin));
    const real = answers.filter((answer) => answer !== null);
    return real.length === 0 ? null : `[${real.join(",")}]`;
  };
};

/** The answer to a frame that was thrown away unread. */
export const tooLong = (most: number): string =>
  JSON.stringify(refused(INVALID_REQUEST, `A message holds at most ${most} bytes.`));

/** The answer to a connection that is not served. */
export const turnedAway = (why: string): string =>
  JSON.stringify(
    createJSONRPCErrorResponse(null, ERRORS.TOO_MANY_REQUESTS.rpc, why, {
      code: "TOO_MANY_REQUESTS",
    }),
  );

const full = (id: JSONRPCRequest["id"]): JSONRPCResponse => {
  const code = "TOO_MANY_REQUESTS";
  return createJSONRPCErrorResponse(id ?? null, ERRORS[code].rpc, ANSWERS_LEFT, { code });
};

const refused = (code: number, message: string): JSONRPCResponse =>
  createJSONRPCErrorResponse(null, code, message);

const jsonRpcServer = (handlers: Handlers, version: string, log: Log): JSONRPCServer<Caller> => {
  const server = new JSONRPCServer<Caller>({
    errorListener: (message) => log.debug({ event: "rpc" }, message),
  });
  for (const name of Object.keys(METHODS) as MethodName[]) {
    server.addMethod(name, (params: unknown, caller: Caller) =>
      handle(name, handlers, params ?? {}, caller),
    );
  }
  // It takes a while to make, and is always the same.
  let document: object | undefined;
  server.addMethod("rpc.discover", () => (document ??= openRpcDocument(version)));
  server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
    if (error instanceof InvalidParams)
      return createJSONRPCErrorResponse(id, INVALID_PARAMS, error.message, {
        code: "INVALID_SPEC",
      });
    if (error instanceof StreamBroError) {
      return createJSONRPCErrorResponse(id, ERRORS[error.code].rpc, error.message, {
        code: error.code,
        ...error.details,
      });
    }
    const { cause, ...of } = error instanceof Unexpected ? error : { cause: error };
    log.error(
      { event: "internal", ...of, error: cause },
      "internal: a command failed in a way that nobody expected",
    );
    return createJSONRPCErrorResponse(id, ERRORS.INTERNAL.rpc, "internal: see the daemon's log", {
      code: "INTERNAL",
    });
  };
  return server;
};

/** The library's own check reads a property of null, and lets any id through. */
const isRequest = (message: unknown): message is JSONRPCRequest =>
  typeof message === "object" &&
  message !== null &&
  isJSONRPCRequest(message) &&
  (message.id === undefined || isJSONRPCID(message.id));

class InvalidParams extends Error {}

/** A bug, with what it came of for the log. */
class Unexpected extends Error {
  readonly method: string;
  readonly stream: string | undefined;

  constructor(method: string, params: object, cause: unknown) {
    super("unexpected", { cause });
    this.method = method;
    this.stream = "name" in params && typeof params.name === "string" ? params.name : undefined;
  }
}

const handle = async <M extends MethodName>(
  name: M,
  handlers: Handlers,
  params: unknown,
  caller: Caller,
): Promise<Result<M>> => {
  const parsed = METHODS[name].params.safeParse(params);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    // A path may be made of words of the client's.
    const where = printable(issue?.path.join(".") ?? "");
    const what = printable(issue?.message ?? "unusable", 500);
    throw new InvalidParams(where === "" || where === "name" ? what : `${where}: ${what}`);
  }
  try {
    return await handlers[name](parsed.data as Params<M>, caller);
  } catch (error) {
    throw error instanceof StreamBroError ? error : new Unexpected(name, parsed.data, error);
  }
};
