import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cgroup } from "./cgroup.ts";
import { type Finished, command } from "./command.ts";
import { plainEnvironment } from "./environment.ts";
import { until } from "./until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const BOOT_MS = 60_000;

/** Where the checkout lies in the container. */
export const IN_CONTAINER = "/opt/streambro";

// The test runner adds its own loader to every child, which is not there in the container.
const BARE = ["env", "-u", "NODE_OPTIONS"];

/** A real systemd as PID 1, in a container of this machine's own /usr; the network is this machine's. */
export type Container = {
  /** Runs a command in it. */
  readonly run: (...argv: string[]) => Promise<Finished>;
  /** The same, for as long as `ms`. */
  readonly runFor: (ms: number, ...argv: string[]) => Promise<Finished>;
  /** Writes a file in it, and the directories above it; /usr is read-only. */
  readonly put: (file: string, text: string) => void;
  /** Puts a unit, or the drop-in of one, into /run/systemd/system. */
  readonly addUnit: (name: string, text: string) => void;
  /** Whether it has ended. */
  readonly over: () => boolean;
  readonly stop: () => Promise<void>;
};

/** Why no container can be booted here, by name; null where one can. */
export const whyNoContainer = (): string | null => {
  if (process.getuid?.() !== 0) return "systemd: booting a container needs root";
  const found = spawnSync("systemd-nspawn", ["--version"], { stdio: "ignore" });
  return found.status === 0 ? null : "systemd: systemd-nspawn is not installed (systemd-container)";
};

/** What a checkout has of another one lies in there where it lies here. */
const lent = (): string[] =>
  [".node", "node_modules"]
    .map((name) => realpathSync(path.join(ROOT, name)))
    .filter((real) => !real.startsWith(`${ROOT}/`));

/**
 * Boots systemd, or says why it cannot, with the checkout at IN_CONTAINER and `inputs` at /media, both
 * read-only. What is written to /outside there is in `outside` here.
 */
export const bootContainer = async (
  inputs: string,
  outside?: string,
): Promise<Container | string> => {
  const binds = [`${ROOT}:${IN_CONTAINER}`, "/etc/alternatives", `${inputs}:/media`, ...lent()];
  return boot([
    ...["-D", "/", "--volatile=yes"],
    ...binds.map((bind) => `--bind-ro=${bind}`),
    ...(outside === undefined ? [] : [`--bind=${outside}:/outside`]),
  ]);
};

/** Boots systemd in what `systemd-nspawn` is to make of these options. */
export const boot = async (options: readonly string[]): Promise<Container | string> => {
  const always = "--boot --keep-unit --register=no --console=pipe --link-journal=no";
  const name = `sb${process.pid}`;
  const group = cgroup(name);
  const child: ChildProcess = spawn(
    "sh",
    [
      ...group.front,
      "systemd-nspawn",
      ...options,
      ...always.split(" "),
      "-M",
      name,
      "systemd.firstboot=no",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString("utf8")));
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const leader = await until(
    "the container's first process",
    () => (over() ? -1 : initOf(child.pid ?? 0)),
    BOOT_MS,
  );
  // It did not even begin: no control groups, say, or no right to mount.
  if (leader === -1) return `systemd: systemd-nspawn refuses: ${complaint.trim().split("\n")[0]}`;
  const runFor: Container["runFor"] = async (timeoutMs, ...argv) =>
    command("nsenter", ["-t", String(leader), "-m", "-p", "-u", "-i", "--", ...BARE, ...argv], {
      env: plainEnvironment(),
      timeoutMs,
    });
  const run: Container["run"] = async (...argv) => runFor(60_000, ...argv);
  const stop = async (): Promise<void> => {
    try {
      // PID 1 of the container: with it goes everything in it.
      process.kill(leader, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await until("the container ends", over, 10_000);
    await group.remove();
  };
  try {
    await until(
      "systemd is up",
      async () => /running|degraded/.test((await run("systemctl", "is-system-running")).stdout),
      BOOT_MS,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const put = (file: string, text: string): void => {
    const there = `/proc/${leader}/root${file}`;
    mkdirSync(path.dirname(there), { recursive: true });
    writeFileSync(there, text);
  };
  const addUnit = (unit: string, text: string): void => put(`/run/systemd/system/${unit}`, text);
  return { run, runFor, put, addUnit, over, stop };
};

/** The child of systemd-nspawn that is process 1 of its container; null before there is one. */
const initOf = (pid: number): number | null => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  // At first there is another, which sets the container up and goes.
  const init = children.find((child) => child !== "" && isInit(child));
  return init === undefined ? null : Number(init);
};

const isInit = (pid: string): boolean => {
  try {
    return /^NSpid:\s+\d+\s+1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
