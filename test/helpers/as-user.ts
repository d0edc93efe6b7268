import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CommandOptions, type Finished, command } from "./command.ts";

/** Users that no machine has: by number alone, in no group but their own. */
export const ANNA = 4_201;
export const BOB = 4_202;
export const SERVICE = 4_203;

const ROOT = path.resolve(import.meta.dirname, "../..");

const becoming = (uid: number): string[] => [
  ...["--reuid", String(uid), "--regid", String(uid), "--clear-groups"],
  // Its user may not write where a test runner would have it leave a record.
  ...["env", "-u", "NODE_OPTIONS"],
];

/** Runs a program as a user of this number, which takes root. */
export const asUser = (
  uid: number,
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> =>
  command("setpriv", [...becoming(uid), program, ...args], { ...options, cwd: "/" });

/** Null where this process may become others, and others may run what is tested here; else why not. */
export const cannotBeOthers = async (): Promise<string | null> => {
  if (process.geteuid?.() !== 0) return "only root can be several users";
  const { code } = await asUser(ANNA, process.execPath, [
    `${ROOT}/dist/streambrod.cjs`,
    "--version",
  ]);
  return code === 0 ? null : "other users cannot read this checkout";
};

/** A folder with the two programs, of which the daemon runs as this user; `home` is to be that user's. */
export const binariesAs = (uid: number, folder: string): string => {
  mkdirSync(folder, { recursive: true });
  const script = (name: string, before: string): void => {
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\nexec ${before} ${ROOT}/bin/${name} "$@"\n`);
    chmodSync(file, 0o755);
  };
  script("streambrod", `setpriv ${becoming(uid).join(" ")}`);
  script("streambro", "");
  return folder;
};
