import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { EXIT } from "../../shared/errors.ts";
import type { Context } from "../context.ts";
import { DURATION_RULE, parseDuration } from "../duration.ts";
import { exitStatusHelp } from "../exit-status.ts";

/** Options that every command has; `json` only where there is something to print. */
export type Standard = {
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly json?: boolean;
};

/** Runs a command's body with a context made from its options; the body's value is the exit status. */
export type Run = (options: Standard, body: (context: Context) => Promise<number>) => Promise<void>;

/** A command's place in the program: where it is added, and how it is run. */
export type Register = (program: Command, run: Run) => void;

export type Manual = {
  readonly about: string;
  readonly examples: readonly string[];
  /** Exit statuses beyond those of every command. */
  readonly statuses?: readonly number[];
};

const ALWAYS = [EXIT.ok, EXIT.usage, EXIT.unreachable, EXIT.notPermitted, EXIT.timeout];

/** Adds what every command has: its text, -q, --debug, examples and exit statuses. */
export const standard = (command: Command, manual: Manual): Command =>
  command
    .description(manual.about)
    .option("-q, --quiet", "print no word when all went well")
    .option("--debug", "show what lies behind an error")
    .addHelpText("after", () => helpAfter(manual));

const helpAfter = ({ examples, statuses = [] }: Manual): string => {
  const known = [...new Set([...ALWAYS, ...statuses])].toSorted((one, other) => one - other);
  const shown = examples.map((example) => `  ${example}`).join("\n");
  return `\nEXAMPLES\n${shown}\n\n${exitStatusHelp(known)}`;
};

/** Reads the value of --timeout into milliseconds. */
export const timeoutOption = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError(`It is no duration: ${DURATION_RULE}.`);
  return ms;
};

/** Reads a whole number from 0 to `most`. */
export const countOption =
  (most: number) =>
  (text: string): number => {
    const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(count <= most)) throw new InvalidArgumentError(`Use a whole number from 0 to ${most}.`);
    return count;
  };
