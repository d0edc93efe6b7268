import { fstatSync, lstatSync, readdirSync, readlinkSync } from "node:fs";

const EVERY_MS = 1_000;
const OWNER_READS = 0o400;

/**
 * Calls back once the process that reads our standard output has gone, where that is a pipe. Node
 * learns of it only when it writes, which a quiet log may give it no reason to do for days. Begins
 * with a look: a reader that was never seen, another user's say, is not missed either.
 */
export const watchReader = (onGone: () => void): void => {
  if (!fstatSync(1).isFIFO()) return;
  const pipe = readlinkSync("/proc/self/fd/1");
  const readers = (pids: readonly string[]): string[] => pids.filter((pid) => reads(pid, pipe));
  const numbers = (): string[] =>
    readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid));
  let known = readers(numbers());
  if (known.length === 0) return;
  const look = (): void => {
    known = readers(known);
    // The last one known has ended: another may have taken over from it.
    if (known.length === 0) known = readers(numbers());
    if (known.length === 0) onGone();
  };
  setInterval(look, EVERY_MS).unref();
};

/** Whether a process has the pipe open for reading; false where it cannot be seen. */
const reads = (pid: string, pipe: string): boolean => {
  try {
    const directory = `/proc/${pid}/fd`;
    return readdirSync(directory).some((fd) => {
      const place = `${directory}/${fd}`;
      return readlinkSync(place) === pipe && (lstatSync(place).mode & OWNER_READS) !== 0;
    });
  } catch {
    return false;
  }
};
