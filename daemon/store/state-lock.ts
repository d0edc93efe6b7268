import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { spawnSync } from "node:child_process";

export type StateLock =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly holder: string };

/**
 * Takes the lock that one daemon holds on one state directory for as long as it lives. Node has no
 * flock; flock(1) locks the open file description that this process shares with it, so the lock stays
 * here when it has ended, and the kernel frees it with this process.
 */
export const takeStateLock = (file: string, pid: number): StateLock => {
  const fd = openSync(file, "a+", 0o600);
  const { status, error } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  if (error !== undefined) {
    closeSync(fd);
    throw new Error("flock is missing: install the package util-linux.", { cause: error });
  }
  if (status !== 0) {
    closeSync(fd);
    return { ok: false, holder: readFileSync(file, "utf8").trim() || "unknown" };
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${pid}\n`);
  return { ok: true, release: () => closeSync(fd) };
};
