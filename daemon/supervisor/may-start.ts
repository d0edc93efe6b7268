import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { Destined } from "./durable.ts";
import { examineInTurn } from "./examine-in-turn.ts";
import { foreign, notStarted, shuttingDown } from "./refusals.ts";
import type { State } from "./state.ts";
import type { StreamContext } from "./stream-context.ts";

type Asked = Pick<
  StreamContext,
  "conflict" | "tools" | "encoders" | "seen" | "reach" | "draining" | "starts"
>;

/**
 * What would make a start futile, found before anything is done. Errors: FOREIGN_PROCESS, INVALID_SPEC,
 * DESTINATION_IN_USE, INPUT_UNUSABLE, SHUTTING_DOWN.
 */
export const mayStart = async (
  { name, owner, input, mode, encoding, outputs }: StreamSpec,
  state: State,
  destination: Destined,
  ports: Asked,
): Promise<void> => {
  if (state.is === "foreign") throw foreign(name, state.why);
  if (!destination.ok) throw notStarted("INVALID_SPEC", name, destination.failure);
  mayPublish(name, ports);
  const wanted = { owner, input, mode, encoding, url: outputs[0]?.url ?? "" };
  const examined = await examineInTurn(wanted, ports, name);
  if (ports.draining()) throw shuttingDown();
  if (!examined.ok) throw notStarted("INPUT_UNUSABLE", name, examined.failure);
};

/** Errors: DESTINATION_IN_USE. */
export const mayPublish = (name: string, { conflict }: Pick<Asked, "conflict">): void => {
  const found = conflict("asker");
  if (found !== null) throw notStarted("DESTINATION_IN_USE", name, found);
};
