import { execa } from "execa";
import { canStartPrograms } from "../runner/descriptors.ts";

/** Bytes that receivers' kernels have acknowledged, by the pid that sends. */
export type AckedByPid = ReadonlyMap<number, number>;

/** Reads `ss -tinpHO`: one connection a line, its process and the kernel's counters in it. */
export const parseSockets = (text: string): AckedByPid => {
  const acked = new Map<number, number>();
  for (const line of text.split("\n")) {
    const bytes = /\bbytes_acked:(\d+)/.exec(line)?.[1];
    // One process may hold a connection by several descriptors.
    const pids = new Set([...line.matchAll(/\bpid=(\d+),fd=/g)].map(([, pid]) => Number(pid)));
    for (const key of pids) {
      acked.set(key, (acked.get(key) ?? 0) + Number(bytes ?? 0));
    }
  }
  return acked;
};

/** One call for every process there is; null where `ss` cannot be had or does not answer. */
export const readSockets = async (): Promise<AckedByPid | null> => {
  if (!canStartPrograms()) return null;
  const result = await execa("ss", ["-tinpHO"], {
    reject: false,
    stdin: "ignore",
    stderr: "ignore",
    timeout: 5_000,
    maxBuffer: 16_000_000,
  });
  return result.exitCode === 0 ? parseSockets(result.stdout) : null;
};
