import { execa } from "execa";
import { canStartPrograms } from "../runner/descriptors.ts";

/** Addresses and ports of a connection, as `ss` writes them. */
export type Ends = { readonly local: string; readonly peer: string };

/** What the kernel tells of one process's connections, added up; all in bytes where not said otherwise. */
export type Connection = {
  /** Acknowledged by the receiver's kernel since the connection was opened. */
  readonly acked: number;
  /** How much more the receiver's kernel would take now. */
  readonly window: number;
  /** Handed over by the process and not acknowledged yet. */
  readonly backlog: number;
  /** Round-trip time in milliseconds, the longest where there are several; null where not told. */
  readonly rttMs: number | null;
  /** The shortest of the last minutes; absent or null where not told. */
  readonly minRttMs?: number | null;
  /** Segments that were sent again since the connection was opened. */
  readonly retransmits: number;
  readonly ends: readonly Ends[];
  /** Segments with data that were sent since the connection was opened; absent where not told. */
  readonly segments?: number;
  /** The receiver can offer its window in multiples of this only; absent where not told. */
  readonly grain?: number;
};

/** By the pid that sends. */
export type Connections = ReadonlyMap<number, Connection>;

/** No connection, or not yet. */
export const NO_CONNECTION: Connection = {
  ...{ acked: 0, window: 0, backlog: 0, rttMs: null, retransmits: 0, ends: [] },
};

/** Reads `ss -tinpHO`: one connection a line, its process and the kernel's counters in it. */
export const parseSockets = (text: string): Connections => {
  const found = new Map<number, Connection>();
  for (const line of text.split("\n")) {
    // One process may hold a connection by several descriptors.
    const pids = new Set([...line.matchAll(/\bpid=(\d{1,9}),fd=/g)].map(([, pid]) => Number(pid)));
    if (pids.size === 0) continue;
    const connection = parseLine(line);
    for (const pid of pids) found.set(pid, sum(found.get(pid), connection));
  }
  return found;
};

const parseLine = (line: string): Connection => {
  const count = (pattern: RegExp): number => {
    const value = Number(pattern.exec(line)?.[1] ?? 0);
    // No kernel counts further; to go on with what is no number would end all judging.
    return value <= Number.MAX_SAFE_INTEGER ? value : 0;
  };
  return {
    acked: count(/\bbytes_acked:(\d+)/),
    // A window of nothing is left out, as is every window on an old kernel.
    window: count(/\bsnd_wnd:(\d+)/),
    // State, then what was received and not read, then what was sent and not acknowledged.
    backlog: count(/^\S+\s+\d+\s+(\d+)\s/),
    rttMs: /\brtt:([\d.]+)\//.test(line) ? count(/\brtt:(\d+(?:\.\d+)?)\//) : null,
    minRttMs: /\bminrtt:\d/.test(line) ? count(/\bminrtt:(\d+(?:\.\d+)?)/) : null,
    retransmits: count(/\bretrans:\d+\/(\d+)/),
    ends: endsOf(line),
    segments: count(/\bdata_segs_out:(\d+)/),
    grain: 2 ** Math.min(14, count(/\bwscale:(\d+),/)),
  };
};

const endsOf = (line: string): Ends[] => {
  const [, local, peer] = /^\S+\s+\d+\s+\d+\s+(\S+:\d+)\s+(\S+:\d+)\s/.exec(line) ?? [];
  return local === undefined || peer === undefined ? [] : [{ local, peer }];
};

const sum = (one: Connection | undefined, other: Connection): Connection =>
  one === undefined
    ? other
    : {
        acked: one.acked + other.acked,
        window: one.window + other.window,
        backlog: one.backlog + other.backlog,
        rttMs: Math.max(one.rttMs ?? 0, other.rttMs ?? 0),
        // Of several nobody could say which of them puts off its answers.
        minRttMs: null,
        retransmits: one.retransmits + other.retransmits,
        ends: [...one.ends, ...other.ends],
        segments: (one.segments ?? 0) + (other.segments ?? 0),
        grain: Math.max(one.grain ?? 1, other.grain ?? 1),
      };

/** One call for every process there is; null where `ss` cannot be had or does not answer. */
export const readSockets = async (): Promise<Connections | null> => {
  if (!canStartPrograms()) return null;
  const result = await execa("ss", ["-tinpHO"], {
    reject: false,
    stdin: "ignore",
    stderr: "ignore",
    // Shorter than what a look may be late for the delivery to be judged.
    timeout: 3_000,
    maxBuffer: 16_000_000,
  });
  return result.exitCode === 0 ? parseSockets(result.stdout) : null;
};
