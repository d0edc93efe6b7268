import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { command, output } from "./command.ts";
import { plainEnvironment } from "./environment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export type Previous =
  /** Folder of its `streambrod`, for `startDaemon`; `remove` when nothing of it runs any more. */
  | { readonly ok: true; readonly dir: string; readonly bin: string; readonly remove: () => void }
  /** Why it cannot be had here. */
  | { readonly ok: false; readonly why: string };

/** Builds the daemon of an earlier commit of this repository, in a directory of its own. */
export const buildPrevious = async (commit: string): Promise<Previous> => {
  const asked = ["-C", ROOT, "rev-parse", "--quiet", "--verify", `${commit}^{commit}`];
  const found = await command("git", asked).catch(() => null);
  if (found?.code !== 0) return { ok: false, why: `commit ${commit} is not at hand here` };
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-previous-"));
  const script = 'git -C "$1" archive --format=tar "$2" | tar -x -C "$3"';
  await output("sh", ["-c", script, "sh", ROOT, commit, dir]);
  symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  await output(process.execPath, ["scripts/bundle.mjs", "daemon"], {
    cwd: dir,
    env: plainEnvironment(),
  });
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  return { ok: true, dir, bin: path.join(dir, "bin"), remove };
};
