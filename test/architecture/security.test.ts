import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { z } from "zod";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const text = read("SECURITY.md");

t.test("each test that SECURITY.md names is there", async (t) => {
  const files = new Set([...text.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file ?? ""));
  t.ok(files.size >= 20, `${files.size} tests`);
  for (const file of files) t.ok(existsSync(path.join(root, file)), file);
});

t.test("nothing in its tables is held by nothing", async (t) => {
  const held = text
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\| (?:attempt|-)/.test(line));
  t.ok(held.length >= 20, `${held.length} attempts`);
  for (const line of held) t.match(line.split("|").at(-2), /`test\/[^`]+`/, line);
});

t.test("what it is made of is what it says", async (t) => {
  const Package = z.object({ dependencies: z.record(z.string(), z.string()) });
  const { dependencies } = Package.parse(JSON.parse(read("package.json")));
  t.same(Object.keys(dependencies), ["koffi"]);
  t.match(text, `\`koffi\` ${dependencies["koffi"]}`);
  const Sources = z.object({ sources: z.array(z.string()) });
  const { sources } = Sources.parse(JSON.parse(read("dist/streambrod-daemon.js.map")));
  const bundled = new Set(
    sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []),
  );
  t.match(text.replaceAll(/\s+/g, " "), `holds ${bundled.size} packages`, [...bundled].join(" "));
});
