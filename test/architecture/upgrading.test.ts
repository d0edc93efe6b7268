import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

t.test("each promise in docs/upgrading.md has its test", async (t) => {
  const text = read("docs/upgrading.md");
  const section = text.slice(text.indexOf("\n## What is promised\n")).split("\n## ")[1] ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim())[2] ?? "");
  t.ok(rows.length >= 10, `${rows.length} promises`);
  for (const cell of rows) {
    for (const part of cell.split("<br>")) {
      const [, file = "", title = ""] = /^`(test\/[^`]+)`: (.+)$/.exec(part) ?? [];
      t.ok(file !== "" && read(file).includes(`"${title}"`), part);
    }
  }
});
