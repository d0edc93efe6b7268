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

/** Puts a layer in memory over a directory; the ways to do it differ by where `lower` lies. */
const overlay = async (scratch: string, lower: string): Promise<string | null> => {
  await output("mount", ["-t", "tmpfs", "-o", "mode=0755,size=2g", "streambro-test", scratch]);
  for (const name of ["upper", "work", "root"]) mkdirSync(path.join(scratch, name));
  const layers = `lowerdir=${lower},upperdir=${scratch}/upper,workdir=${scratch}/work`;
  const over = ["-t", "overlay", "overlay", "-o", layers, `${scratch}/root`];
  const { code, stderr } = await command("mount", over);
  return code === 0 ? null : `systemd: no overlay can be made here: ${stderr.trim()}`;
};

/**
 * Boots a Debian, by default a copy of this machine's, with `inputs` at /media, or says why it cannot.
 * Its network is this machine's.
 */
export const bootDebian = async (inputs: string, lower = "/"): Promise<Debian | string> => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-debian-"));
  const root = path.join(scratch, "root");
  const clear = async (): Promise<void> => {
    await command("umount", ["-l", root]);
    await command("umount", ["-l", scratch]);
    rmSync(scratch, { recursive: true, force: true });
  };
  const why = await overlay(scratch, lower);
  if (why !== null) {
    await clear();
    return why;
  }
  // What runs on this machine need not run there twice; and packages may start what they bring.
  const units = path.join(root, "etc/systemd/system");
  for (const name of readdirSync(units)) rmSync(path.join(units, name), { recursive: true });
  rmSync(path.join(root, "usr/sbin/policy-rc.d"), { force: true });
  // An index of all manuals takes longer than an installation.
  rmSync(path.join(root, "var/lib/man-db/auto-update"), { force: true });
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
