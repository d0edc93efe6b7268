import { type Examined, type Means, type Request, examine } from "./examine.ts";
import type { StartGate } from "./start-gate.ts";

type Bounded = Means & { readonly starts: StartGate };

/**
 * Examines for a command, among the streams that start: fifty commands of a script are fifty looks at
 * films. `stream` is whose stop does not wait for it; null where there is none yet.
 */
export const examineInTurn = async (
  request: Request,
  means: Bounded,
  stream: string | null,
): Promise<Examined> => {
  const turn = means.starts.enter("asked", stream);
  await turn.came;
  try {
    return await examine(request, means);
  } finally {
    turn.leave();
  }
};
