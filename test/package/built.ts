import path from "node:path";
import { output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Builds the Debian package, fast and large, and gives its file. */
export const buildDeb = async (out: string, ...options: string[]): Promise<string> => {
  const script = path.join(ROOT, "scripts/package-deb");
  // The test runner's own loader, which it adds to every child, would double the time.
  const bare = ["-u", "NODE_OPTIONS", script];
  const said = await output("env", [...bare, "--compress", "zstd", "--out", out, ...options], {
    env: plainEnvironment(),
    timeoutMs: 120_000,
  });
  return said.split("\n", 1)[0] ?? "";
};
