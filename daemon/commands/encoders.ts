import type { HardwareDetector } from "../encoders/hardware-detector.ts";
import type { Handlers } from "../rpc/server.ts";

export const encoderHandlers = (detector: HardwareDetector): Pick<Handlers, "encoders.get"> => ({
  "encoders.get": async ({ refresh = false }) => detector.detectEncoders(refresh),
});
