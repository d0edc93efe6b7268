import { EXIT } from "../shared/errors.ts";
import type { Daemon } from "./client/daemon.ts";
import { exitStatusOf, sentenceOf } from "./client/failure.ts";
import type { Failure } from "./client/failure.ts";
import { harmlessJson } from "./render/harmless.ts";
import type { Terminal } from "./terminal.ts";

/** What a command has at hand. */
export type Context = {
  readonly terminal: Terminal;
  readonly daemon: Daemon;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly debug: boolean;
};

/** Says what was done, to people; nothing under --quiet, or where --json says it. */
export const say = ({ terminal, quiet, json }: Context, words: string): void => {
  if (!quiet && !json) terminal.err(words);
};

/** Prints data for a program, whatever the other options. */
export const printJson = ({ terminal }: Context, value: unknown): void => {
  terminal.out(harmlessJson(value));
};

/** Ends a command with a sentence. */
export const refuse = ({ terminal }: Context, status: number, sentence: string): number => {
  terminal.err(`streambro: ${sentence}`);
  return status;
};

export const refuseUsage = (context: Context, sentence: string): number =>
  refuse(context, EXIT.usage, sentence);

/** Reports a failed call, about the daemon itself or about what was asked of it. */
export const reportFailure = (context: Context, failure: Failure, undone?: string): number => {
  const { terminal, debug } = context;
  const sentence = sentenceOf(failure);
  const subject = failure.reason === "refused" && undone !== undefined ? undone : "streambro";
  // The daemon's sentence may begin with the stream's name itself, and then says what was not done.
  const whole = sentence.startsWith(`${subject.replace(/:.*/, "")}: `);
  terminal.err(whole ? sentence : `${subject}: ${sentence}`);
  if (debug) terminal.err(`      ${JSON.stringify(failure)}`);
  return exitStatusOf(failure);
};

/** Several names, one status: the highest. */
export const worst = (statuses: readonly number[]): number => Math.max(EXIT.ok, ...statuses);
