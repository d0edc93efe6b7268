import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { command, output } from "./command.ts";
import { type Container, boot } from "./systemd.ts";

/** This machine's Debian with a real systemd, to be written to: nothing of that stays. */
export type Debian = Container & {
  /** Where its root directory can be seen from here. */
  readonly root: string;
};

export type WritableRoot = {
  readonly root: string;
  readonly clear: () => Promise<void>;
};

/** A copy in memory of a Debian's root directory, by default of this machine's; or why there is none. */
export const writableRoot = async (lower = "/"): Promise<WritableRoot | string> => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-debian-"));
  const root = path.join(scratch, "root");
  await output("mount", ["-t", "tmpfs", "-o", "mode=0755,size=3g", "streambro-test", scratch]);
  const clear = async (): Promise<void> => {
    await command("umount", ["-l", root]);
    await command("umount", ["-l", scratch]);
    rmSync(scratch, { recursive: true, force: true });
  };
  for (const name of ["upper", "work", "root"]) mkdirSync(path.join(scratch, name));
  const layers = `lowerdir=${lower},upperdir=${scratch}/upper,workdir=${scratch}/work`;
  const { code, stderr } = await command("mount", ["-t", "overlay", "overlay", "-o", layers, root]);
  if (code !== 0) {
    await clear();
    return `systemd: no overlay can be made here: ${stderr.trim()}`;
  }
  // What runs on this machine need not run there twice; and packages may start what they bring.
  const units = path.join(root, "etc/systemd/system");
  for (const name of readdirSync(units)) rmSync(path.join(units, name), { recursive: true });
  rmSync(path.join(root, "usr/sbin/policy-rc.d"), { force: true });
  // An index of all manuals takes longer than an installation.
  rmSync(path.join(root, "var/lib/man-db/auto-update"), { force: true });
  return { root, clear };
};

/**
 * Boots a Debian, by default a copy of this machine's, with `inputs` at /media, or says why it cannot.
 * Its network is this machine's.
 */
export const bootDebian = async (inputs: string, lower?: string): Promise<Debian | string> => {
  const made = await writableRoot(lower);
  if (typeof made === "string") return made;
  const { root, clear } = made;
  const container = await boot(["-D", root, `--bind-ro=${inputs}:/media`]);
  if (typeof container === "string") {
    await clear();
    return container;
  }
  const stop = async (): Promise<void> => {
    await container.stop();
    await clear();
  };
  return { ...container, root, stop };
};
