import { StreamBroError } from "../../shared/errors.ts";
import type { Handlers } from "../rpc/server.ts";

const notYet = (): never => {
  throw new StreamBroError("INTERNAL", "not yet");
};

export const commandLineHandlers = (): Pick<Handlers, "stream.command"> => ({
  "stream.command": async () => notYet(),
});
