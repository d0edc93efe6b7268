import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import t from "tap";
import { z } from "zod";
import { readExit } from "../../daemon/runner/run-record.ts";
import { output } from "../helpers/command.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";
import { RELEASES, schemaOf } from "./frozen.ts";
import { type Found, LINES, OTHERS, RECORDS, filesOf } from "./kinds.ts";
import { makeScene } from "./scene.ts";
import { wider } from "./wider.ts";

t.test("what this release can write, each kept release reads", async (t) => {
  for (const release of RELEASES) {
    for (const [kind, { schema }] of Object.entries(RECORDS)) {
      const written = z.toJSONSchema(schema, { io: "output" });
      // daemon/store/later-words.ts writes later reasons in a way that any release reads.
      const wide = wider(written, schemaOf(release, kind), kind).filter(
        (one) => !/^memory\.[^:]*\.reason: "[a-z-]+" is not known$/.test(one),
      );
      t.same(wide, [], `${kind} for ${release}`);
    }
  }
});

t.test("what would not be read is found", async (t) => {
  const read = z.toJSONSchema(
    z.object({
      version: z.literal(1),
      word: z.enum(["a", "b"]).nullable(),
      size: z.number().max(9),
      list: z.array(z.object({ n: z.number().int() })),
      rest: z.discriminatedUnion("is", [
        z.object({ is: z.literal("one"), x: z.string() }),
        z.object({ is: z.literal("two"), y: z.string().nullable() }),
      ]),
      users: z.record(z.string(), z.number().max(5)),
      gone: z.string(),
      late: z.string().default(""),
    }),
    { io: "input" },
  );
  const written = z.toJSONSchema(
    z.object({
      version: z.literal([1, 2]),
      word: z.enum(["a", "c"]).nullable(),
      size: z.number().max(10),
      list: z.array(z.object({ n: z.number() })),
      rest: z.discriminatedUnion("is", [
        z.object({ is: z.literal("one"), x: z.string().nullable(), more: z.string() }),
        z.object({ is: z.literal("three"), y: z.string() }),
      ]),
      users: z.record(z.string(), z.number().max(6)),
      added: z.string(),
    }),
    { io: "output" },
  );
  t.same(wider(written, read), [
    ".gone: may be missing",
    ".version: 2 is not known",
    '.word: "c" is not known',
    ".size: maximum is 10, and was 9",
    ".list[].n: may be number, and is integer",
    ".rest.x: may be null, and is string",
    '.rest.is: "three" is not known',
    ".users.*: maximum is 6, and was 5",
  ]);
  t.same(
    wider(read, read).filter((one) => !one.includes("may be missing")),
    [],
  );
});

t.test("what a daemon writes, each kept release reads", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const seen: Found[] = [];
  const daemon = await makeScene(server, ({ dir }) => void seen.push(...filesOf(dir)));
  await daemon.end();
  const byKind = new Map<string, number>();
  const check = (kind: string, fits: (text: string) => string | null, files: Found[]): void => {
    byKind.set(kind, files.length);
    for (const { at, text } of files) {
      const why = fits(text);
      if (why !== null) t.fail(`${at}: ${why}`);
    }
  };
  for (const release of RELEASES) {
    const ajv = new Ajv2020({ allErrors: true, strict: false });
    for (const [kind, { at }] of Object.entries(RECORDS)) {
      const validate: ValidateFunction = ajv.compile(schemaOf(release, kind));
      const fits = (text: string): string | null =>
        validate(JSON.parse(text)) ? null : ajv.errorsText(validate.errors);
      check(
        kind,
        fits,
        seen.filter((one) => at.test(one.at)),
      );
    }
  }
  for (const [kind, { at, is }] of Object.entries(LINES)) {
    const fits = (text: string): string | null => (is.test(text) ? null : JSON.stringify(text));
    check(
      kind,
      fits,
      seen.filter((one) => at.test(one.at)),
    );
  }
  byKind.delete("exit");
  t.same(
    [...byKind].filter(([, files]) => files === 0),
    [],
    "each kind was there",
  );
  const rules = [...Object.values(RECORDS), ...Object.values(LINES)].map(({ at }) => at);
  const strange = seen.filter(({ at }) => ![...rules, ...OTHERS].some((rule) => rule.test(at)));
  t.same(
    [...new Set(strange.map(({ at }) => at))],
    [],
    "a new kind of file belongs into kinds.ts: what it is, and what an older release makes of it",
  );
});

t.test("what the runner leaves of a death", async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const runner = path.resolve(import.meta.dirname, "../../daemon/runner/runner.sh");
  for (const code of [0, 42, 255]) {
    const run = path.join(dir, String(code));
    mkdirSync(run);
    const files = [run, `${run}.lock`, `${run}.log`, "marker"];
    await output("sh", [runner, ...files, "sh", "-c", `exit ${code}`]);
    await until("its exit is on record", () => readExit(run) !== null, 10_000);
    t.match(readFileSync(path.join(run, "exit"), "utf8"), LINES["exit"]?.is, `${code}`);
    t.match(readExit(run), { code });
  }
});
