import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import t from "tap";

const root = path.resolve(import.meta.dirname, "../..");

t.test("each promise in docs/reliability.md names a test that is there", async (t) => {
  const rows = readFileSync(path.join(root, "docs/reliability.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\| (?:promise|-)/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, , holds]) => holds?.includes("`test/") === true);
  t.ok(rows.length >= 20, `${rows.length} promises`);
  for (const [, promise = "", holds = ""] of rows) {
    t.match(promise, /\.$/, promise);
    const files = [...holds.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file ?? "");
    for (const file of files) {
      const [folder, name] = [path.dirname(file), path.basename(file)];
      const isThere = name.startsWith("*")
        ? readdirSync(path.join(root, folder)).some((one) => one.endsWith(name.slice(1)))
        : existsSync(path.join(root, file));
      t.ok(isThere, `${file}: ${promise}`);
    }
  }
});
