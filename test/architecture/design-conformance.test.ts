import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";

const root = path.resolve(import.meta.dirname, "../..");
const text = readFileSync(path.join(root, "docs/design-conformance.md"), "utf8");

/** The design document's testing strategy. */
const STRATEGY = {
  unit: [
    "Test StreamLimiter with various user/global limits",
    "Test ResourceMonitor with mock process data",
    "Test HardwareDetector with mock FFmpeg output",
    "Test CleanupManager with mock filesystem",
    "Test GracefulShutdown with mock services",
  ],
  integration: [
    "Test concurrent stream limiting end-to-end",
    "Test memory cleanup after stream stop",
    "Test graceful shutdown with active streams",
    "Test force kill mechanism with stuck process",
    "Test hardware encoder fallback",
  ],
  performance: [
    "Test system with maximum concurrent streams",
    "Test memory usage over 24 hours",
    "Test CPU usage with hardware vs software encoding",
    "Test cleanup performance with many streams",
  ],
} as const;

const BEYOND = "Beyond the document";
const NOT_APPLICABLE = /^not applicable, because \S.{20}/;

type Row = { readonly group: string; readonly cells: readonly string[] };

/** Rows of the tables below the heading "The table", heads and rules left out. */
const rows: readonly Row[] = text
  .slice(text.indexOf("\n## The table\n"))
  .split("\n### ")
  .slice(1)
  .flatMap((section) => {
    const [group = "", ...lines] = section.split("\n");
    const table = lines.filter((line) => line.startsWith("|")).slice(2);
    return table.map((line): Row => {
      const cells = line.split(/(?<!\\)\|/).slice(1, -1);
      return { group, cells: cells.map((cell) => cell.trim()) };
    });
  });

/** Of a cell: each path with what stands behind it. */
const named = (cell: string): { readonly file: string; readonly rest: string }[] =>
  cell.split("<br>").map((part) => {
    const [, file = "", rest = ""] = /^`([^`]+)`(?:: (.+))?$/.exec(part) ?? [];
    return { file, rest };
  });

const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

const isTitle = (title: string, file: string): boolean => {
  const opened = read(file).split(JSON.stringify(title))[0] ?? "";
  return read(file).includes(JSON.stringify(title)) && /\.test\(\s*$/.test(opened);
};

t.test("the table is whole", async (t) => {
  t.ok(rows.length > 120, `${rows.length} rows`);
  for (const { group, cells } of rows) {
    const [statement = ""] = cells;
    t.equal(cells.length, group === BEYOND ? 4 : 3, statement);
    t.same(
      cells.filter((cell) => /^[-\s?]*$|\b(TODO|TBD|open)\b/.test(cell)),
      [],
      statement,
    );
  }
  const statements = rows.map(({ group, cells }) => `${group}: ${cells[0] ?? ""}`);
  t.equal(new Set(statements).size, statements.length, "each statement once");
  t.equal(rows.at(-1)?.group, BEYOND, "it is the end of the document");
});

t.test("every file and test that the table names is there", async (t) => {
  for (const { cells } of rows) {
    const [statement = "", files = "", tests = ""] = cells;
    if (NOT_APPLICABLE.test(files)) {
      t.equal(tests, "not applicable", statement);
      continue;
    }
    for (const { file, rest } of named(files)) {
      if (!t.ok(file !== "" && existsSync(path.join(root, file)), `${statement}: ${file}`))
        continue;
      const words = [...rest.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
      for (const word of words) t.ok(read(file).includes(word), `${file} has ${word}`);
    }
    for (const { file, rest } of named(tests)) {
      if (!t.ok(file !== "" && existsSync(path.join(root, file)), `${statement}: ${file}`))
        continue;
      t.ok(isTitle(rest, file), `${file} has a test "${rest}"`);
    }
  }
});

t.test("only the old web application's code is not applicable", async (t) => {
  const spared = rows.filter(({ cells }) => NOT_APPLICABLE.test(cells[1] ?? ""));
  for (const { cells } of spared)
    t.match(cells.join(" "), /Express|schedulerService\.js|streamingService\.js/);
});

t.test("every test of the testing strategy exists under its name", async (t) => {
  for (const [kind, titles] of Object.entries(STRATEGY)) {
    for (const title of titles) {
      const row = rows.find(
        ({ group, cells }) => group.startsWith(`Testing strategy: ${kind}`) && cells[0] === title,
      );
      const files = named(row?.cells[2] ?? "").filter(({ rest }) => rest === title);
      if (!t.equal(files.length, 1, title)) continue;
      const folder = { unit: /^test\/(?!e2e|performance)/, integration: /^test\/e2e\// };
      const where = kind in folder ? folder[kind as "unit"] : /^test\/performance\//;
      t.match(files[0]?.file, where, `${title} is a ${kind} test`);
    }
  }
});
