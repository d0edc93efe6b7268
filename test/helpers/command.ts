import { spawn } from "node:child_process";

export type Finished = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
};

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** Kills it; the promise then rejects. */
  readonly signal?: AbortSignal;
  /** In a session of its own, so that Ctrl-C on a terminal does not reach it. */
  readonly detached?: boolean;
};

/** Runs a program to its end, whatever its exit status; KILL when the time is out. */
export const command = async (
  program: string,
  args: readonly string[],
  {
    cwd,
    env,
    signal: abort,
    stdin = "",
    timeoutMs = 60_000,
    detached = false,
  }: CommandOptions = {},
): Promise<Finished> => {
  const started = performance.now();
  const child = spawn(program, args, {
    env: env ?? process.env,
    timeout: timeoutMs,
    detached,
    killSignal: "SIGKILL",
    ...(cwd === undefined ? {} : { cwd }),
    ...(abort === undefined ? {} : { signal: abort }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program may end without having read its input.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  child.on("error", reject);
  child.on("close", (code, signal) => {
    resolve({
      code,
      signal,
      stdout: Buffer.concat(stdout).toString("utf8"),
      stderr: Buffer.concat(stderr).toString("utf8"),
      ms: performance.now() - started,
    });
  });
  return promise;
};

/** Runs a program that has to succeed and returns its standard output. */
export const output = async (
  program: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> => {
  const { code, signal, stdout, stderr } = await command(program, args, options);
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${stderr.trim()}`);
  return stdout;
};
