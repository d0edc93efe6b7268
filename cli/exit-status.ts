import { EXIT } from "../shared/errors.ts";

const MEANING: Readonly<Record<number, string>> = {
  [EXIT.ok]: "done, or already so",
  [EXIT.failed]: "the operation failed",
  [EXIT.usage]: "the command line is wrong",
  [EXIT.notLive]: "status: at least one named stream is not live",
  [EXIT.noSuchStream]: "no such stream",
  [EXIT.unreachable]: "the daemon cannot be reached, or does not talk as it should",
  [EXIT.tryLater]: "a limit was reached, or the daemon is stopping: try later",
  [EXIT.notPermitted]: "not permitted",
  [EXIT.invalid]: "an invalid name, setting or key, or the name is taken",
  [EXIT.timeout]: "--timeout ran out, or the daemon did not answer in time",
  [EXIT.interrupted]: "interrupted; the streams go on",
};

const lines = (statuses: readonly number[]): string =>
  statuses.map((status) => `  ${String(status).padStart(3)}  ${MEANING[status] ?? ""}`).join("\n");

/** The part of a help text that lists exit statuses: these, or all. */
export const exitStatusHelp = (statuses?: readonly number[]): string => {
  const all = Object.keys(MEANING).map(Number);
  return `EXIT STATUS\n${lines(statuses ?? all)}`;
};

/** For a command that takes several names. */
export const SEVERAL =
  "Of several streams each is done, whatever becomes of the others; the exit status is the highest.";
