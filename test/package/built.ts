import { mkdirSync, writeFileSync } from "node:fs";
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

/** A newer release that refuses to be unpacked. */
export const brokenDeb = async (out: string): Promise<string> => {
  const tree = path.join(out, "broken");
  mkdirSync(path.join(tree, "DEBIAN"), { recursive: true });
  const control = ["Package: streambro", "Version: 99", "Architecture: all", "Maintainer: x <x@y>"];
  writeFileSync(path.join(tree, "DEBIAN/control"), `${control.join("\n")}\nDescription: refuses\n`);
  writeFileSync(path.join(tree, "DEBIAN/preinst"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const deb = path.join(out, "streambro_99_all.deb");
  await output("dpkg-deb", ["-Zgzip", "--build", tree, deb]);
  return deb;
};
