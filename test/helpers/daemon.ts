import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import type { MethodName, Params, Result } from "../../shared/contract/methods.ts";
import { type CommandOptions, type Finished, command } from "./command.ts";
import { plainEnvironment } from "./environment.ts";
import { killAll, leftovers } from "./processes.ts";
import { call } from "./rpc.ts";
import { until } from "./until.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin");
const START_MS = 10_000;
const END_MS = 20_000;

export type DaemonOptions = {
  /** Short: a socket's path may have 107 bytes. Without one a temporary directory, removed by end(). */
  readonly dir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of streambrod. */
  readonly args?: readonly string[];
  /** YAML of the configuration file. */
  readonly config?: string;
  /** In a session of its own, so that Ctrl-C on a terminal does not reach it. */
  readonly detached?: boolean;
  /** Folder of `streambrod` and `streambro`, where they are not this checkout's. */
  readonly bin?: string;
};

export type Daemon = {
  readonly dir: string;
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly socket: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of the daemon that runs now, or ran last. */
  readonly pid: () => number;
  readonly running: () => boolean;
  /** Of the daemon that ended last; null while one runs, and where a signal ended it. */
  readonly exitCode: () => number | null;
  /** Sends the signal and waits for the daemon's end; its streams go on after SIGKILL. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Starts it again where it was ended, waiting until it answers. */
  readonly start: () => Promise<void>;
  /** `kill`, then `start`. */
  readonly restart: (signal?: NodeJS.Signals) => Promise<void>;
  readonly rpc: <M extends MethodName>(method: M, params: Params<M>) => Promise<Result<M>>;
  /** Runs `streambro ARGS` against this daemon. */
  readonly cli: (...args: string[]) => Promise<Finished>;
  readonly cliWith: (options: CommandOptions, ...args: string[]) => Promise<Finished>;
  /** All that it printed on stdout, over every start. */
  readonly log: () => string;
  /** The same, one object a line. */
  readonly events: () => readonly Record<string, unknown>[];
  /**
   * Stops every stream and the daemon; starts it for that where it is not running. Whatever is left
   * after that is killed and is a failure.
   */
  readonly end: () => Promise<void>;
};

const Event = z.record(z.string(), z.unknown());

const events = (text: string): Record<string, unknown>[] =>
  text.split("\n").flatMap((line) => {
    try {
      return [Event.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });

/** Starts bin/streambrod with every directory of its own and waits until it answers `daemon.status`. */
export const startDaemon = async (options: DaemonOptions = {}): Promise<Daemon> => {
  const dir = options.dir ?? mkdtempSync(path.join(os.tmpdir(), "sb-"));
  const bin = options.bin ?? BIN;
  const at = (name: string): string => path.join(dir, name);
  const [stateDir, runtimeDir, socket, config] = [at("state"), at("run"), at("s"), at("conf.yaml")];
  if (Buffer.byteLength(socket) > 107) throw new Error(`too long for a socket: ${socket}`);
  if (options.config !== undefined || !existsSync(config))
    writeFileSync(config, options.config ?? "");
  const env: NodeJS.ProcessEnv = {
    ...plainEnvironment(),
    STREAMBRO_TEST_HOME: dir,
    STREAMBRO_STATE_DIR: stateDir,
    STREAMBRO_RUNTIME_DIR: runtimeDir,
    STREAMBRO_SOCKET: socket,
    STREAMBRO_CONFIG: config,
    ...options.env,
  };
  let child: ChildProcess | undefined;
  const running = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  const printed = (name: string): string =>
    existsSync(at(name)) ? readFileSync(at(name), "utf8") : "";
  const rpc: Daemon["rpc"] = async (method, params) => call(socket, method, params);

  const start = async (): Promise<void> => {
    if (running()) return;
    // Files, not pipes: nobody has to read them, and they outlive a restart.
    const [out, err] = [openSync(at("stdout"), "a"), openSync(at("stderr"), "a")];
    const started = spawn(path.join(bin, "streambrod"), options.args ?? [], {
      env,
      cwd: dir,
      detached: options.detached ?? false,
      stdio: ["ignore", out, err],
    });
    child = started;
    closeSync(out);
    closeSync(err);
    const { promise: failed, reject } = Promise.withResolvers<never>();
    started.once("error", reject);
    started.once("exit", (code, signal) => {
      reject(
        new Error(
          `streambrod ended with ${code ?? signal}:\n${`${printed("stdout")}${printed("stderr")}`.slice(-4000)}`,
        ),
      );
    });
    // Once it answers, its end is nobody's failure here.
    failed.catch(() => {});
    const answers = until("streambrod answers", async () => rpc("daemon.status", {}), START_MS);
    await Promise.race([answers, failed]);
  };

  const ended = async (deadlineMs: number): Promise<void> => {
    await until("streambrod ends", () => !running(), deadlineMs);
  };

  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    if (!running()) return;
    child?.kill(signal);
    await ended(END_MS);
  };

  const cliWith = async (with_: CommandOptions, ...args: string[]): Promise<Finished> =>
    command(path.join(bin, "streambro"), args, { ...with_, env: { ...env, ...with_.env } });

  const end = async (): Promise<void> => {
    const failures: string[] = [];
    try {
      await start();
      await rpc("daemon.stop", { keepStreams: false });
      await ended(END_MS);
    } catch (error) {
      failures.push(String(error));
    }
    const left = leftovers(dir);
    killAll(left);
    if (running()) await ended(END_MS);
    failures.push(...left.map(({ pid, argv }) => `left running: ${pid} ${argv.join(" ")}`));
    if (options.dir === undefined && failures.length === 0)
      rmSync(dir, { recursive: true, force: true });
    if (failures.length > 0) throw new Error(`${failures.join("\n")}\n(kept: ${dir})`);
  };

  const daemon: Daemon = {
    dir,
    stateDir,
    runtimeDir,
    socket,
    env,
    running,
    start,
    kill,
    rpc,
    cliWith,
    end,
    pid: () => child?.pid ?? 0,
    exitCode: () => child?.exitCode ?? null,
    restart: async (signal) => {
      await kill(signal);
      await start();
    },
    cli: async (...args) => cliWith({}, ...args),
    log: () => printed("stdout"),
    events: () => events(printed("stdout")),
  };
  try {
    await start();
  } catch (error) {
    killAll(leftovers(dir));
    throw error;
  }
  return daemon;
};
