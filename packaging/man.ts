// Writes the manuals: man.ts DIRECTORY
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { manuals } from "./man/manuals.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("man.ts: say where to\n");
  process.exit(2);
}
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8"),
);
mkdirSync(directory, { recursive: true });
for (const [name, text] of Object.entries(manuals(version)))
  writeFileSync(path.join(directory, name), text);
