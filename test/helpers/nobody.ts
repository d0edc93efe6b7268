import { type CommandOptions, type Finished, command } from "./command.ts";

const IDS = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
// Its user may not write where a test runner would have it leave a record.
const PLAIN = ["env", "-u", "NODE_OPTIONS"];

/** Runs a program as the user nobody, which takes root. */
export const asNobody = (
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> =>
  command("setpriv", [...IDS, ...PLAIN, program, ...args], { ...options, cwd: "/" });

/** Whether this process may become nobody, and nobody may run Node from where it lies. */
export const canBeNobody = async (): Promise<boolean> =>
  process.geteuid?.() === 0 && (await asNobody(process.execPath, ["-e", "0"])).code === 0;
