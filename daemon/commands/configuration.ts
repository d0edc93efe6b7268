import { StreamBroError } from "../../shared/errors.ts";
import type { Handlers } from "../rpc/server.ts";

const notYet = (): never => {
  throw new StreamBroError("INTERNAL", "not yet");
};

export const configurationHandlers = (): Pick<Handlers, "daemon.config" | "daemon.reload"> => ({
  "daemon.config": async () => notYet(),
  "daemon.reload": async () => notYet(),
});
