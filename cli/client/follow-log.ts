import type { Params } from "../../shared/contract/methods.ts";
import { MAX_WAIT_MS } from "../../shared/protocol.ts";
import type { Daemon } from "./daemon.ts";
import { isPassing } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { pause, reconnectDelay } from "./pause.ts";

/** A daemon that has nothing to say and says so at once is not asked in a loop. */
const BREATHER_MS = 200;

/**
 * Hands over the last lines of a stream's log and, when following, whatever is added, across restarts
 * of the daemon. Returns why it ended; null where all that was asked for has been handed over.
 */
export const followLog = async (
  daemon: Daemon,
  name: string,
  { lines, follow }: { readonly lines: number; readonly follow: boolean },
  onLines: (lines: readonly string[]) => void,
): Promise<Failure | null> => {
  let cursor: string | null = null;
  let failures = 0;
  for (;;) {
    const asked = Date.now();
    const waitMs: number = cursor === null ? 0 : MAX_WAIT_MS;
    const params: Params<"stream.logs"> =
      cursor === null ? { name, lines } : { name, cursor, waitMs };
    const answer = await daemon.call("stream.logs", params, waitMs);
    if (answer.ok) {
      failures = 0;
      ({ cursor } = answer.result);
      if (answer.result.lines.length > 0) onLines(answer.result.lines);
      if (!follow) return null;
      const early = answer.result.lines.length === 0 && Date.now() - asked < waitMs / 2;
      if (early) await pause(BREATHER_MS);
    } else {
      if (cursor === null || !isPassing(answer.failure)) return answer.failure;
      failures += 1;
      await pause(reconnectDelay(failures));
    }
  }
};
