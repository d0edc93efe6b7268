import type { Buffer } from "node:buffer";

/** What commands may touch of the process that runs them. */
export type Terminal = {
  /** Data: a line or several to stdout; the last newline is added. */
  readonly out: (text: string) => void;
  /** Words: a line or several to stderr; the last newline is added. */
  readonly err: (text: string) => void;
  /** How wide stdout is, and null where it is no terminal. */
  readonly columns: () => number | null;
  readonly colour: () => boolean;
  readonly cwd: () => string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** All of stdin, but no more than `most` bytes of it. */
  readonly readStdin: (most: number) => Promise<Buffer>;
  /** From the first call on, SIGINT runs `then` instead of ending the process. */
  readonly onInterrupt: (then: () => void) => void;
  /** From the call on, the process ends quietly when nobody reads its stdout any more. */
  readonly endWithReader: () => void;
};
