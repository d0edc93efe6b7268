import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { plainEnvironment } from "../helpers/environment.ts";
import { until } from "../helpers/until.ts";

/**
 * A process that belongs to nobody and writes down every signal that can be caught. One that cannot
 * ends or stops it, which is seen as well.
 */
export type Decoy = {
  readonly pid: () => number;
  /** What it was sent, by name; `gone` where it has ended. */
  readonly signals: () => readonly string[];
  readonly end: () => Promise<void>;
};

const SCRIPT = `
const { appendFileSync } = require("node:fs");
for (const name of ["HUP", "INT", "QUIT", "TERM", "USR2", "CONT", "WINCH", "ALRM", "PIPE"])
  process.on("SIG" + name, () => appendFileSync(process.argv[1], "SIG" + name + "\\n"));
setInterval(() => {}, 60000);
appendFileSync(process.argv[1], "ready\\n");
`;

export const startDecoy = async (file: string): Promise<Decoy> => {
  writeFileSync(file, "");
  const lines = (): string[] =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  // The leader of a group of its own, as FFmpeg is.
  const child: ChildProcess = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", process.execPath, "-e", SCRIPT, file],
    {
      detached: true,
      stdio: "ignore",
      env: plainEnvironment(),
    },
  );
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await until("the decoy is ready", () => lines().includes("ready"), 10_000);
  return {
    pid: () => child.pid ?? 0,
    signals: () => [...lines().filter((line) => line !== "ready"), ...(gone() ? ["gone"] : [])],
    end: async () => {
      child.kill("SIGKILL");
      await until("the decoy ends", gone, 5_000);
    },
  };
};
