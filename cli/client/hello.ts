import type { Params } from "../../shared/contract/methods.ts";
import { PROTOCOL, PROTOCOL_OLDEST } from "../../shared/protocol.ts";
import type { Answer } from "./answer.ts";
import type { Failure } from "./failure.ts";

export const greeting = (client: string): Params<"daemon.hello"> => ({
  protocol: PROTOCOL,
  oldest: PROTOCOL_OLDEST,
  client,
});

/** Why the two cannot talk, by the daemon's answer to the greeting; null where they can. */
export const greetingFailure = (answer: Answer<"daemon.hello">): Failure | null => {
  if (!answer.ok) return answer.failure;
  const { protocol, version } = answer.result;
  if (protocol >= PROTOCOL_OLDEST && protocol <= PROTOCOL) return null;
  return {
    reason: "unsupported",
    message:
      `the daemon is streambrod ${version} and speaks version ${protocol} of the protocol, which ` +
      "this streambro does not: use the streambro of that release, or restart the daemon.",
  };
};
