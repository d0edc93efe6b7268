import type { HardwareDetector } from "../encoders/hardware-detector.ts";
import type { Handlers } from "../rpc/server.ts";

export const encoderHandlers = (
  detector: HardwareDetector,
  open: () => void,
): Pick<Handlers, "encoders.get"> => ({
  "encoders.get": async ({ refresh = false }) => {
    if (refresh) open();
    return detector.detectEncoders(refresh);
  },
});
