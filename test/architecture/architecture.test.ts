import { existsSync, readFileSync, readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import t from "tap";

const root = path.resolve(import.meta.dirname, "../..");
const SIDES = ["daemon", "cli", "shared"] as const;

type Import = { readonly from: string; readonly typesOnly: boolean };
type Source = {
  readonly file: string;
  readonly lines: number;
  readonly imports: readonly Import[];
};

/** Statements of the form this project writes: `import ... from "x"`, `export ... from "x"`, `import("x")`. */
const importsOf = (text: string): Import[] => [
  ...[...text.matchAll(/^(import|export)\s+(type\s)?([^;"']*?)\s*from\s+"([^"]+)"/gm)].map(
    ([, , type, names = "", from = ""]): Import => {
      const inBraces = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
      const each =
        inBraces
          ?.split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "") ?? [];
      return {
        from,
        typesOnly:
          type !== undefined || (each.length > 0 && each.every((name) => name.startsWith("type "))),
      };
    },
  ),
  ...[...text.matchAll(/(?:^import\s+|\bimport\(|\brequire\()"([^"]+)"/gm)].map(
    ([, from = ""]): Import => ({ from, typesOnly: false }),
  ),
];

const sources: readonly Source[] = SIDES.flatMap((side) =>
  readdirSync(path.join(root, side), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") || name.endsWith(".sh"))
    .map((name) => {
      const file = `${side}/${name}`;
      const text = readFileSync(path.join(root, file), "utf8");
      return {
        file,
        lines: text.split("\n").length - 1,
        imports: name.endsWith(".ts") ? importsOf(text) : [],
      };
    }),
);

const target = (source: Source, { from }: Import): string =>
  from.startsWith(".")
    ? path.relative(root, path.resolve(root, path.dirname(source.file), from))
    : from;

const users = (wanted: (module: string, one: Import) => boolean): string[] =>
  sources
    .flatMap((source) =>
      source.imports.some((one) => wanted(target(source, one), one)) ? [source.file] : [],
    )
    .sort();

t.test("the imports are understood", async (t) => {
  t.ok(sources.length > 60, `${sources.length} files`);
  t.same(
    importsOf(
      'import type { A } from "a";\nimport { type B, c } from "b";\nimport {\n  type D,\n} from "d";\nimport "e";\nexport { f } from "f";\nawait import("g");\nimport h, { type I } from "h";\n',
    ).sort((a, b) => a.from.localeCompare(b.from)),
    [
      { from: "a", typesOnly: true },
      { from: "b", typesOnly: false },
      { from: "d", typesOnly: true },
      { from: "e", typesOnly: false },
      { from: "f", typesOnly: false },
      { from: "g", typesOnly: false },
      { from: "h", typesOnly: false },
    ],
  );
  const wrong = sources.flatMap((source) =>
    source.imports.flatMap((one) => {
      const module = target(source, one);
      if (one.from.startsWith("."))
        return existsSync(path.join(root, module)) ? [] : [`${source.file}: ${module}`];
      // Newer ones have no other name than that with it.
      return builtinModules.includes(one.from) && !one.from.startsWith("node:")
        ? [`${source.file}: ${module} without node:`]
        : [];
    }),
  );
  t.same(wrong, []);
});

t.test("daemon -> shared <- cli", async (t) => {
  const crossing = sources.flatMap((source) =>
    source.imports.flatMap((one) => {
      const [own] = source.file.split("/");
      const [side] = target(source, one).split("/");
      const allowed =
        !one.from.startsWith(".") || side === own || (side === "shared" && own !== "shared");
      return allowed ? [] : [`${source.file} -> ${target(source, one)}`];
    }),
  );
  t.same(crossing, []);
});

t.test("heavy packages stay where they belong", async (t) => {
  const packageOf = (module: string): string =>
    module
      .split("/")
      .slice(0, module.startsWith("@") ? 2 : 1)
      .join("/");
  const heavy = ["execa", "koffi", "pino", "pino-pretty", "pidusage", "prom-client", "zod", "yaml"];
  // Through shared/ as well: what the command line loads at run time is what its imports reach.
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const source = sources.find((one) => one.file === file);
    for (const one of source?.imports ?? [])
      if (!one.typesOnly) visit(target(source as Source, one));
  };
  for (const { file } of sources) if (file.startsWith("cli/")) visit(file);
  t.same(
    [...reached].map(packageOf).filter((name) => heavy.includes(name)),
    [],
    "the command line loads none of them",
  );
  const inDaemon = (files: string[]): string[] =>
    files.filter((file) => !file.startsWith("daemon/"));
  for (const name of ["execa", "pino", "pidusage", "yaml"])
    t.same(inDaemon(users((module) => packageOf(module) === name)), [], name);
  t.same(
    users((module) => module === "pino"),
    ["daemon/log/log.ts"],
  );
  t.same(
    users((module) => module === "koffi"),
    // The first is of a program of its own.
    ["daemon/reach/native.ts", "daemon/rpc/peer-credentials.ts", "daemon/systemd/datagram.ts"],
    "native code is three files'",
  );
  t.same(
    users((module, { typesOnly }) => module === "node:sqlite" && !typesOnly),
    ["daemon/history/open-archive.ts"],
    "the database is one folder's",
  );
  t.same(
    users((module) => module === "pino-pretty"),
    ["daemon/log/pretty.ts"],
  );
  t.same(
    users((module) => module === "yaml"),
    ["daemon/config/settings-file.ts"],
  );
  t.same(
    users((module) => module === "json-rpc-2.0").filter((file) => file.startsWith("daemon/")),
    ["daemon/rpc/server.ts"],
  );
  t.same(
    users((module) => packageOf(module) === "prom-client"),
    ["daemon/metrics/prometheus.ts"],
  );
  t.same(
    users((module) => packageOf(module) === "pidusage"),
    ["daemon/health/measure.ts"],
  );
  const zod = users((module, { typesOnly }) => module === "zod" && !typesOnly);
  t.same(
    zod.filter((file) => file.startsWith("cli/")),
    [],
  );
});

/** Whoever starts a process, and what for. */
const STARTERS = [
  "daemon/ffmpeg/version.ts",
  "daemon/health/ghosts.ts",
  "daemon/health/sockets.ts",
  "daemon/media/bounded.ts",
  "daemon/runner/launch.ts",
  "daemon/runner/lock.ts",
  "daemon/store/file-lock.ts",
  "daemon/store/remains.ts",
  "daemon/systemd/job.ts",
];

t.test("few files start processes or signal them", async (t) => {
  const starters = users(
    (module, { typesOnly }) =>
      !typesOnly && (module === "execa" || module === "node:child_process"),
  );
  t.same(
    starters.filter((file) => !STARTERS.includes(file)),
    [],
    "a new one belongs on the list above",
  );
  const killers = sources
    .filter(({ file }) => /\bprocess\.kill\(/.test(readFileSync(path.join(root, file), "utf8")))
    .map(({ file }) => file);
  t.same(killers, ["daemon/runner/identity.ts"]);
});

t.test("no mutable state outside of functions and classes", async (t) => {
  const text = ({ file }: Source): string => readFileSync(path.join(root, file), "utf8");
  const typescript = sources.filter(({ file }) => file.endsWith(".ts"));
  const changing = typescript.filter((source) => /^(export )?(let|var)\s/m.test(text(source)));
  t.same(
    changing.map(({ file }) => file),
    // The process itself is one, and what ends it for good has to know the log.
    ["daemon/main.ts"],
  );
  const filled =
    /^(export )?const \w+\b(?!: Readonly)[^=\n]*= (\[\]|\{\}|new (Weak)?(Map|Set)(<[^>]*>)?\(\))/m;
  const fields = /^\s+static (readonly )?#?\w+\s*[:=;]/m;
  for (const source of typescript) {
    t.notMatch(text(source), filled, `${source.file}: empty, to be filled later`);
    t.notMatch(text(source), fields, `${source.file}: a field that all instances share`);
  }
});

t.test("no cycles of imports, types aside", async (t) => {
  const cycles = new Set<string>();
  const done = new Set<string>();
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const walk = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) return void cycles.add([...trail.slice(at), file].join(" -> "));
    if (done.has(file)) return;
    const source = byFile.get(file);
    for (const one of source?.imports ?? [])
      if (!one.typesOnly) walk(target(source as Source, one), [...trail, file]);
    done.add(file);
  };
  for (const { file } of sources) walk(file, []);
  t.same([...cycles], []);
});

t.test("sizes and names", async (t) => {
  t.same(
    sources.filter(({ lines }) => lines > 250).map(({ file, lines }) => `${file}: ${lines}`),
    [],
  );
  const sizes = sources.map(({ lines }) => lines).sort((a, b) => a - b);
  t.ok(
    (sizes[Math.floor(sizes.length / 2)] ?? 0) <= 100,
    `median ${sizes[Math.floor(sizes.length / 2)]}`,
  );
  t.same(
    sources
      .filter(({ file }) => /(^|\/)(utils?|common|helpers?|misc|lib)(\/|\.|-)/.test(file))
      .map(({ file }) => file),
    [],
  );
  t.same(
    sources.filter(({ file }) => !/^[a-z0-9/.-]+$/.test(file)).map(({ file }) => file),
    [],
    "names are lower case with hyphens",
  );
});
