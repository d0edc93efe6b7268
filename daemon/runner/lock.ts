import { execa } from "execa";

/** `held`: a runner or an FFmpeg of the stream lives; `unknown`: it could not be found out. */
export type LockState = "free" | "held" | "unknown";

const HELD = 75;

export const lockState = async (lock: string): Promise<LockState> => {
  const { exitCode } = await execa("flock", ["-n", "-E", String(HELD), lock, "true"], {
    reject: false,
    stdio: "ignore",
    timeout: 10_000,
  });
  return exitCode === 0 ? "free" : exitCode === HELD ? "held" : "unknown";
};
