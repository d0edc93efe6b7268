import type { HardwareDetector } from "../encoders/hardware-detector.ts";
import type { GuardedHandlers } from "../access/guard.ts";

export const encoderHandlers = (
  detector: HardwareDetector,
  open: () => void,
): Pick<GuardedHandlers, "encoders.get"> => ({
  "encoders.get": async ({ refresh = false }) => {
    if (refresh) open();
    return detector.detectEncoders(refresh);
  },
});
