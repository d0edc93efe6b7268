import { execa } from "execa";

/** Whether nobody holds a stream's lock: neither its runner nor its FFmpeg lives. */
export const lockIsFree = async (lock: string): Promise<boolean> => {
  const { exitCode } = await execa("flock", ["-n", lock, "true"], {
    reject: false,
    stdio: "ignore",
    timeout: 10_000,
  });
  return exitCode === 0;
};
