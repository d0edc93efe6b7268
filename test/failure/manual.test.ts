import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { FAILURES } from "../../daemon/failure/table.ts";
import { FAILURE_REASONS } from "../../shared/states.ts";

const manual = readFileSync(path.resolve(import.meta.dirname, "../../docs/failures.md"), "utf8");

/** The cells of each line of a table that begins with a reason. */
const lines = [...manual.matchAll(/^\| `([a-z-]+)` +\|(.*)\|$/gm)].map(
  ([, reason = "", rest = ""]) => [
    reason,
    ...rest.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")),
  ],
);

/** As the manual says it: capital words are places for facts. */
const cell = (text: string): string =>
  text.replaceAll(/\b(?:NAME|HOST|SIGNAL|STATUS|LINE)\b/g, "_$&_");

t.test("the manual has the failure table, line by line", async (t) => {
  const wanted = FAILURES.map(({ reason, happened, advice, permanent }) => [
    ...[reason, cell(happened), cell(advice)],
    permanent ? "no" : "yes",
  ]);
  t.same(
    lines.filter(({ length }) => length === 4),
    wanted,
    "docs/failures.md follows daemon/failure/",
  );
});

t.test("and every reason", async (t) => {
  const told = new Set(lines.map(([reason]) => reason));
  t.same(
    FAILURE_REASONS.filter((reason) => !told.has(reason)),
    [],
    "a reason of StreamBro's own has a line in the second table",
  );
});
