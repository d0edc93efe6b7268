import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import path from "node:path";

/** A program's file: another size or time is another build of it. */
export type Program = { readonly path: string; readonly size: number; readonly mtimeMs: number };

/** The file that a command runs, links resolved: a path, or a name looked for on `searchPath`. Null where none. */
export const findProgram = async (command: string, searchPath: string): Promise<Program | null> => {
  const places = command.includes("/")
    ? [command]
    : searchPath
        .split(path.delimiter)
        .filter((directory) => directory !== "")
        .map((directory) => path.join(directory, command));
  for (const place of places) {
    const found = await programAt(place);
    if (found !== null) return found;
  }
  return null;
};

const programAt = async (place: string): Promise<Program | null> => {
  try {
    await access(place, constants.X_OK);
    const file = await realpath(place);
    const { size, mtimeMs, isFile } = await facts(file);
    return isFile ? { path: file, size, mtimeMs } : null;
  } catch {
    return null;
  }
};

const facts = async (file: string): Promise<Omit<Program, "path"> & { isFile: boolean }> => {
  const stats = await stat(file);
  return { size: stats.size, mtimeMs: stats.mtimeMs, isFile: stats.isFile() };
};
