import { connect } from "../../cli/client/connection.ts";
import type { MethodName, Params, Result } from "../../shared/contract/methods.ts";

/** Asks the daemon on one connection for the whole run; an answer that is a refusal is thrown. */
export type Ask = {
  <M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>;
  readonly close: () => void;
};

const ANSWER_MS = 60_000;

export const openAsk = (socket: string): Ask => {
  const connection = connect(socket, "soak");
  const ask = async <M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> => {
    const answer = await connection.call(method, params, ANSWER_MS);
    if (answer.ok) return answer.result;
    const { failure } = answer;
    const why = failure.reason === "refused" ? failure.message : failure.reason;
    throw new Error(`${method}: ${why}`);
  };
  return Object.assign(ask, { close: connection.close });
};
