import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { printable } from "../../shared/stream-name.ts";
import { messageOf } from "../log/message-of.ts";
import { type HeldLock, takeFileLock } from "./file-lock.ts";

/** In the directory of runs: whose they are. No stream can be called that. */
const CLAIM = ".state";

export type RunsClaim = {
  /** Claims the directory again where it was wiped. A sentence where it cannot be had any more. */
  hold(): string | null;
  release(): void;
};

export type Claimed =
  | { readonly ok: true; readonly claim: RunsClaim }
  | { readonly ok: false; readonly message: string };

/**
 * Claims a directory of runs for one state directory: a daemon takes runs that it knows no stream for as
 * remains, and clears them away, so that two must never share one. Where no run is left, whoever comes
 * takes it over from one that lives no more.
 */
export const claimRuns = (runs: string, state: string): Claimed => {
  const first = take(runs, state);
  if (typeof first === "string") return { ok: false, message: first };
  let lock: HeldLock | null = first;
  const release = (): void => {
    lock?.release();
    lock = null;
  };
  const hold = (): string | null => {
    if (lock?.isThere() === true) return null;
    release();
    const again = take(runs, state);
    if (typeof again === "string") return again;
    lock = again;
    return null;
  };
  return { ok: true, claim: { hold, release } };
};

const take = (runs: string, state: string): HeldLock | string => {
  try {
    makeRuns(runs);
    const taken = takeFileLock(path.join(runs, CLAIM));
    if (taken.is === "held") return takenBy(runs, taken.says, state);
    if (taken.is === "failed") return `Cannot claim ${runs}: ${taken.why}.`;
    const { lock } = taken;
    if (lock.before !== state) {
      if (lock.before !== "" && hasRuns(runs)) {
        lock.release();
        return takenBy(runs, lock.before, state);
      }
      lock.write(`${state}\n`);
    }
    return lock;
  } catch (error) {
    return `Cannot claim ${runs}: ${messageOf(error)}.`;
  }
};

/** Its parents are not for this user alone: the socket lies there. */
const makeRuns = (runs: string): void => {
  mkdirSync(path.dirname(runs), { recursive: true, mode: 0o755 });
  mkdirSync(runs, { recursive: true, mode: 0o700 });
  chmodSync(runs, 0o700);
};

const hasRuns = (runs: string): boolean =>
  readdirSync(runs, { withFileTypes: true }).some((entry) => entry.isDirectory());

const takenBy = (runs: string, other: string, state: string): string =>
  `The runtime directory ${path.dirname(runs)} is that of another streambrod, whose state directory is ${printable(other, 4_096)} and not ${state}. Set STREAMBRO_RUNTIME_DIR to a directory of its own.`;
