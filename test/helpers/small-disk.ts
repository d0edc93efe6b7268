import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command, output } from "./command.ts";

/** A small file system in memory, to be filled and emptied. */
export type SmallDisk = {
  /** Takes all the room there is. */
  readonly fill: () => void;
  readonly free: () => void;
  /** Options of `mount -o remount,`. */
  readonly remount: (options: string) => Promise<void>;
  /** No file can be made any more, although there is room; `free` of this ends it. */
  readonly useUpInodes: () => Promise<void>;
  readonly unmount: () => Promise<void>;
};

const MOST_INODES = 2_000;

/** Null where this user may not mount. */
export const smallDisk = async (
  directory: string,
  kilobytes: number,
): Promise<SmallDisk | null> => {
  mkdirSync(directory, { recursive: true });
  const options = `size=${kilobytes}k,nr_inodes=${MOST_INODES},mode=755`;
  const mounted = await command("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory]);
  if (mounted.code !== 0) return null;
  const filler = path.join(directory, "filler");
  const remount = async (changed: string): Promise<void> => {
    await output("mount", ["-o", `remount,${changed}`, directory]);
  };
  return {
    fill: () => {
      // To the last byte: a page that is not there yet is what a small file needs too.
      for (let bytes = 65_536; bytes >= 4_096; bytes /= 2) {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(bytes), { flag: "a" });
        } catch {
          // Smaller pieces may still fit.
        }
      }
    },
    free: () => rmSync(filler, { force: true }),
    remount,
    useUpInodes: async () => {
      const { files, ffree } = statfsSync(directory);
      await remount(`nr_inodes=${files - ffree}`);
    },
    unmount: async () => {
      await output("umount", [directory]);
    },
  };
};

export const ALL_INODES = `nr_inodes=${MOST_INODES}`;
