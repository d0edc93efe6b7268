import { createConnection } from "node:net";
import { JSONRPCClient, JSONRPCErrorException } from "json-rpc-2.0";
import type { MethodName, Params, Result } from "../../shared/contract/methods.ts";
import { FrameReader } from "../../shared/frames.ts";
import { printable } from "../../shared/stream-name.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import type { Answer } from "./answer.ts";
import type { Failure } from "./failure.ts";
import { greeting, greetingFailure } from "./hello.ts";
import { type Notice, readMessage } from "./message.ts";

/** Answers may be longer than requests: the state of every stream is one of them. */
const MAX_ANSWER_BYTES = 64 * MAX_FRAME_BYTES;

/** One connection to the daemon, good until its first failure. */
export type Connection = {
  readonly call: <M extends MethodName>(
    method: M,
    params: Params<M>,
    timeoutMs: number,
    onNotice?: (notice: Notice) => void,
  ) => Promise<Answer<M>>;
  /** Why it can no longer be used; null while it can. */
  readonly failure: () => Failure | null;
  readonly ended: Promise<void>;
  readonly close: () => void;
};

/** Opens a connection and greets; whatever is asked at once travels with the greeting. */
export const connect = (path: string, client: string): Connection => {
  let failure: Failure | null = null;
  let greeted = false;
  let waiting: string[] | null = [];
  // What nobody has asked to hear is passed over.
  let heard: (notice: Notice) => void = () => {};
  const socket = createConnection(path);
  const ended = Promise.withResolvers<void>();
  const reader = new FrameReader(MAX_ANSWER_BYTES);

  const rpc = new JSONRPCClient((message) => {
    const line = `${JSON.stringify(message)}\n`;
    if (waiting === null) socket.write(line);
    else waiting.push(line);
  });
  const fail = (because: Failure): void => {
    failure ??= because;
    rpc.rejectAllPendingRequests(because.reason);
    socket.destroy();
  };
  const garbled = (): void => {
    fail({ reason: "garbled", socket: path });
  };
  const onLine = (line: string): void => {
    const message = failure === null ? readMessage(line) : { kind: "ignored" as const };
    if (message.kind === "response") rpc.receive(message.response);
    else if (message.kind === "notice") heard(message.notice);
    else if (message.kind === "refusal") fail(message.failure);
    else if (message.kind === "garbled") garbled();
  };

  socket.on("connect", () => {
    socket.write((waiting ?? []).join(""));
    waiting = null;
  });
  socket.on("data", (chunk) => {
    reader.push(chunk, onLine, garbled);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    // After the connection stood, an error (a reset, a broken pipe) is the daemon hanging up.
    if (waiting === null) fail({ reason: "closed", socket: path, greeted });
    else fail({ reason: "unreachable", socket: path, code: error.code ?? error.message });
  });
  socket.on("close", () => {
    fail({ reason: "closed", socket: path, greeted });
    ended.resolve();
  });

  const ask = async <M extends MethodName>(method: M, params: Params<M>): Promise<Answer<M>> => {
    try {
      const result: Result<M> = await rpc.request(method, params);
      return { ok: true, result };
    } catch (error) {
      if (failure === null && error instanceof JSONRPCErrorException) {
        return { ok: false, failure: refusal(error) };
      }
      garbled();
      return { ok: false, failure: failure ?? { reason: "garbled", socket: path } };
    }
  };
  const greet = async (): Promise<void> => {
    const because = greetingFailure(await ask("daemon.hello", greeting(client)));
    if (because === null) greeted = true;
    else fail(because);
  };
  void greet();

  return {
    call: async (method, params, timeoutMs, onNotice = heard) => {
      if (failure !== null) return { ok: false, failure };
      heard = onNotice;
      const timer = setTimeout(() => {
        fail({ reason: "silent", socket: path, ms: timeoutMs });
      }, timeoutMs);
      const answer = await ask(method, params);
      clearTimeout(timer);
      return answer;
    },
    failure: () => failure,
    ended: ended.promise,
    close: () => {
      fail({ reason: "closed", socket: path, greeted });
    },
  };
};

const refusal = (error: JSONRPCErrorException): Failure => {
  const data: unknown = error.data;
  const code = typeof data === "object" && data !== null && "code" in data ? data.code : null;
  return {
    reason: "refused",
    rpc: error.code,
    code: typeof code === "string" ? code : null,
    message: error.message,
    ...errorsIn(data),
  };
};

const errorsIn = (data: unknown): { errors?: readonly string[] } => {
  const list = typeof data === "object" && data !== null && "errors" in data ? data.errors : null;
  if (!Array.isArray(list)) return {};
  return { errors: list.map((each) => printable(String(each), 2000)) };
};
