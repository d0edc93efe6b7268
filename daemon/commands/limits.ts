import { StreamBroError } from "../../shared/errors.ts";
import type { Handlers } from "../rpc/server.ts";

const notYet = (): never => {
  throw new StreamBroError("INTERNAL", "not yet");
};

export const limitHandlers = (): Pick<Handlers, "limits.get" | "limits.set"> => ({
  "limits.get": async () => notYet(),
  "limits.set": async () => notYet(),
});
