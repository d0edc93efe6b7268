import { readFileSync } from "node:fs";
import { execa } from "execa";
import { canStartPrograms } from "../runner/descriptors.ts";

const PATIENCE_MS = 2_000;

/**
 * Whether systemd is about to start this service again, as far as it says so: false where it is not
 * there, gives no answer in time, or runs something else. Never rejects. This is asked when SIGTERM comes
 * although ExecStop has not said what for: it is not run where the service's users or groups are gone.
 */
export const isBeingRestarted = async (cgroup = "/proc/self/cgroup"): Promise<boolean> => {
  if (!canStartPrograms()) return false;
  const unit = unitOf(cgroup);
  if (unit === null) return false;
  const { stdout } = await execa("systemctl", ["list-jobs", "--no-legend", "--no-pager", unit], {
    reject: false,
    stdin: "ignore",
    stderr: "ignore",
    timeout: PATIENCE_MS,
    maxBuffer: 100_000,
  });
  return stdout.split("\n").some((job) => job.trim().split(/\s+/)[2] === "restart");
};

/** The service whose control group this process is in, by systemd's own hierarchy. */
const unitOf = (cgroup: string): string | null => {
  try {
    const lines = readFileSync(cgroup, "utf8").split("\n");
    const line = lines.find((one) => /^\d+:(name=systemd)?:/.test(one)) ?? "";
    return /\/([^/]+\.service)$/.exec(line)?.[1] ?? null;
  } catch {
    return null;
  }
};
