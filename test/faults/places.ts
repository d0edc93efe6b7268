import { existsSync } from "node:fs";
import path from "node:path";
import { command } from "../helpers/command.ts";

/** A small file system of its own, so that it can be full without anything else being full. */
export type SmallDisk = { readonly directory: string; readonly unmount: () => Promise<void> };

/** Mounts one, or says why that cannot be done here. The directory has to be there. */
export const mountSmallDisk = async (
  directory: string,
  megabytes: number,
): Promise<SmallDisk | string> => {
  if (process.geteuid?.() !== 0) return "mounting takes root";
  const options = `size=${megabytes}m,mode=0750`;
  const { code, stderr } = await command("mount", [
    "-t",
    "tmpfs",
    "-o",
    options,
    "none",
    directory,
  ]);
  if (code !== 0) return stderr.trim();
  return {
    directory,
    unmount: async () => {
      const { code } = await command("umount", [directory]);
      if (code !== 0) await command("umount", ["-l", directory]);
    },
  };
};

const FAKETIME = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map((machine) =>
  path.join("/usr/lib", machine, "faketime/libfaketimeMT.so.1"),
);

/** What lies between a program and the system's clock; null where it is not installed. */
export const faketimeLibrary = (): string | null =>
  FAKETIME.find((file) => existsSync(file)) ?? null;
