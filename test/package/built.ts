import path from "node:path";
import { output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Builds the Debian package, fast and large, and gives its file. */
export const buildDeb = async (out: string, ...options: string[]): Promise<string> => {
  const script = path.join(ROOT, "scripts/package-deb");
  const said = await output(script, ["--compress", "zstd", "--out", out, ...options], {
    env: plainEnvironment(),
    timeoutMs: 120_000,
  });
  return said.split("\n", 1)[0] ?? "";
};
