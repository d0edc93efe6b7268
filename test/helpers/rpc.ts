import net from "node:net";
import { z } from "zod";
import {
  METHODS,
  type MethodName,
  type Params,
  type Result,
} from "../../shared/contract/methods.ts";
import { FrameReader } from "../../shared/frames.ts";
import { MAX_FRAME_BYTES, PROTOCOL, PROTOCOL_OLDEST } from "../../shared/protocol.ts";

/** An error that the daemon answered with. */
export class RpcFailure extends Error {
  override readonly name = "RpcFailure";
  readonly number: number;
  readonly data: unknown;

  constructor(number: number, message: string, data: unknown) {
    super(message);
    this.number = number;
    this.data = data;
  }
}

const Answer = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.number(),
  result: z.unknown().optional(),
  error: z
    .object({ code: z.number(), message: z.string(), data: z.unknown().optional() })
    .optional(),
});
type Answer = z.infer<typeof Answer>;

const RESULTS: { readonly [M in MethodName]: { readonly result: z.ZodType<Result<M>> } } = METHODS;

type Request = { readonly method: string; readonly params: unknown };

/** Sends the requests on one connection of its own and gives the answers in order. */
const converse = async (
  socket: string,
  requests: readonly Request[],
  timeoutMs: number,
): Promise<Answer[]> => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer[]>();
  const answers = new Map<number, Answer>();
  const frames = new FrameReader(MAX_FRAME_BYTES);
  const connection = net.connect(socket);
  connection.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
  connection.on("error", reject);
  connection.on("close", () => reject(new Error("the daemon closed the connection")));
  connection.on("connect", () => {
    for (const [id, { method, params }] of requests.entries()) {
      connection.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    }
  });
  const take = (line: string): void => {
    const answer = Answer.parse(JSON.parse(line));
    answers.set(answer.id, answer);
    const all = requests.map((_, id) => answers.get(id)).filter((one) => one !== undefined);
    if (all.length === requests.length) resolve(all);
  };
  connection.on("data", (chunk: Buffer) =>
    frames.push(chunk, take, () => reject(new Error("an answer was longer than a frame may be"))),
  );
  try {
    return await promise;
  } finally {
    connection.destroy();
  }
};

/**
 * One call, after the greeting that opens a connection. An error answer is thrown as RpcFailure, and a
 * result that is not what the contract says is an error.
 */
export const call = async <M extends MethodName>(
  socket: string,
  method: M,
  params: Params<M>,
  timeoutMs = 30_000,
): Promise<Result<M>> => {
  const hello = { protocol: PROTOCOL, oldest: PROTOCOL_OLDEST, client: "test" };
  const answers = await converse(
    socket,
    [
      { method: "daemon.hello", params: hello },
      { method, params },
    ],
    timeoutMs,
  );
  for (const { error } of answers) {
    if (error !== undefined) throw new RpcFailure(error.code, error.message, error.data);
  }
  return RESULTS[method].result.parse(answers.at(-1)?.result);
};
