import { readFileSync } from "node:fs";

/** Bytes that a process has read, from files and everything else, since it began; null where not told. */
export const bytesRead = (pid: number): number | null => {
  try {
    const [, bytes] = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8")) ?? [];
    return bytes === undefined ? null : Number(bytes);
  } catch {
    return null;
  }
};
