import type { FailureReason } from "../../shared/states.ts";

/** How a process ended: `code` and `signal` both null where nobody was there to see. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

export type Failure = {
  readonly reason: FailureReason;
  /** Trying again cannot help: somebody has to change something first. */
  readonly permanent: boolean;
  /** What happened, and what to do about it; never a secret. */
  readonly message: string;
};

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** The exit status as a shell records it: 128 and the signal's number, where one ended the process. */
export const exitOf = (status: number): Exit => {
  const signal = SIGNALS[status - 128];
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
};
