import { watchReader } from "./client/reader-gone.ts";
import { Buffer } from "node:buffer";
import { homedir } from "node:os";
import { EXIT } from "../shared/errors.ts";
import { clientSocket } from "../shared/paths.ts";
import { printable } from "../shared/stream-name.ts";
import { runProgram } from "./program.ts";
import { harmless } from "./render/harmless.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

const ended = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

const readStdin = async (most: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes: Buffer = chunk;
    chunks.push(bytes);
    length += bytes.length;
    // What is typed ends with its line.
    if (length >= most || (process.stdin.isTTY && bytes.includes(10))) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
};

/** Who reads may stop reading: `logs -f radio | head` has what it wanted. */
const onBrokenOutput = (error: NodeJS.ErrnoException): void => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  terminal.err(`streambro: standard output cannot be written: ${printable(error.message)}.`);
  process.exit(EXIT.failed);
};

/** Words that nobody can read change nothing about what was done. */
const onBrokenWords = (): void => undefined;

/** Streams are opened with the first word, as opening them takes time. */
const writer = (
  open: () => NodeJS.WriteStream,
  onError: (error: NodeJS.ErrnoException) => void,
): ((text: string) => void) => {
  let stream: NodeJS.WriteStream | null = null;
  return (text) => {
    stream ??= open().on("error", onError);
    stream.write(ended(harmless(text)));
  };
};

const terminal: Terminal = {
  out: writer(() => process.stdout, onBrokenOutput),
  err: writer(() => process.stderr, onBrokenWords),
  columns: () => (process.stdout.isTTY ? process.stdout.columns : null),
  colour: () =>
    process.stdout.isTTY &&
    (process.env["NO_COLOR"] ?? "") === "" &&
    process.env["TERM"] !== "dumb",
  cwd: () => process.cwd(),
  now: Date.now,
  readStdin,
  endWithReader: () => watchReader(() => process.exit(EXIT.ok)),
  onInterrupt: (then) => {
    process.on("SIGINT", then);
  },
};

/** Ends with a line for what nobody expected; the stack is for who asks for it. */
const fail = (error: unknown): never => {
  const stack = process.argv.includes("--debug") && error instanceof Error ? error.stack : null;
  const message = error instanceof Error ? error.message : String(error);
  terminal.err(stack ?? `streambro: internal: ${printable(message)}. --debug shows more.`);
  process.exit(EXIT.failed);
};

process.on("uncaughtException", fail);

const main = async (): Promise<void> => {
  const status = await runProgram(process.argv.slice(2), {
    terminal,
    version: version(),
    socket: () => clientSocket(process.env, process.getuid?.() ?? 0, homedir()),
  });
  // Writes to terminals, files and pipes are done when they return, so nothing is cut off; whether
  // they failed is told a tick later.
  setImmediate(() => process.exit(status));
};

main().catch(fail);
