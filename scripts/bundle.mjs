// Builds what runs: dist/streambro.cjs and dist/streambrod.cjs, or one: bundle.mjs [cli|daemon].
// With --out DIR they go there instead; package.json has to lie beside DIR, as it lies beside dist.
// With --packages FILE it also says, in JSON, whose code that is and which licences it has.
//
// Each is a launcher of a few lines that any Node can parse, so that one too old is told so, beside
// one CommonJS bundle. The CLI's comes with V8's code cache, made by running it once: without it a
// start takes 1.4 times a bare `node -e 0`, with it 1.3. A cache is as trusted as the code beside
// it; never put it in a directory that others may write. The same sources make the same bytes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { licenceText, packagesIn } from "./licences.mjs";

const root = path.resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  options: { out: { type: "string" }, packages: { type: "string" } },
  allowPositionals: true,
});
const dist = path.resolve(values.out ?? path.join(root, "dist"));
/** Whose code is in the bundles. */
const packages = new Map();

/** Whole or not at all, and never into a file that somebody has open: a daemon may run from here. */
const place = (name, contents) => {
  const target = path.join(dist, name);
  const draft = `${target}.${process.pid}.new`;
  writeFileSync(draft, contents);
  renameSync(draft, target);
};

/** Commander loads node:child_process for a feature that is not used here; loading it takes 2 ms. */
const withoutChildProcess = {
  name: "without-child-process",
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?child_process$/ }, ({ importer }) =>
      importer.includes("/node_modules/commander/")
        ? { path: "child_process", namespace: "left-out" }
        : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "" }));
  },
};

const bundle = async (entry, options) => {
  const result = await build({
    entryPoints: [path.join(root, entry)],
    outdir: dist,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    legalComments: "none",
    // Native code stays outside, loaded from node_modules.
    external: ["koffi"],
    // Else a node_modules that is a link would leave its place in what is made.
    preserveSymlinks: true,
    define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
    write: false,
    metafile: true,
    absWorkingDir: root,
    logLevel: "warning",
    ...options,
  });
  for (const one of packagesIn(result.metafile, root)) packages.set(one.folder, one);
  return Object.fromEntries(result.outputFiles.map((file) => [path.extname(file.path), file.text]));
};

/** The oldest syntax only. */
const launcher = (program, run) =>
  `"use strict";
if (parseInt(process.versions.node, 10) < 24) {
  process.stderr.write("${program}: needs Node 24 or newer, and " + process.execPath + " is " +
    process.version + ".\\n");
  process.exit(1);
}
${run}`;

const startWithCache = `var fs = require("node:fs");
var file = __dirname + "/streambro-cli.cjs";
var source = fs.readFileSync(file, "utf8");
var cachedData;
try {
  cachedData = fs.readFileSync(__dirname + "/streambro-cli.cache");
  // V8 compares no more than the length of the source: the two are a pair by the id both begin with.
  cachedData = cachedData.latin1Slice(0, 40) === source.slice(0, 40) ? cachedData.subarray(40) : undefined;
} catch (_) {}
var Script = require("node:vm").Script;
var script = new Script(source, { filename: file, cachedData: cachedData });
script.runInThisContext()(exports, require, module, file, __dirname);
`;

const buildCli = async () => {
  const { ".js": code } = await bundle("cli/main.ts", {
    plugins: [withoutChildProcess],
    minifySyntax: true,
    minifyWhitespace: true,
  });
  const id = `/*${createHash("sha256").update(code).digest("hex").slice(0, 36)}*/`;
  place(
    "streambro-cli.cjs",
    `${id}(function (exports, require, module, __filename, __dirname) {${code}\n})`,
  );
  place("streambro.cjs", launcher("streambro", startWithCache));
  const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-bundle-"));
  const cache = path.join(scratch, "cache");
  const warmUp = path.join(import.meta.dirname, "warm-up.mjs");
  const run = spawnSync(process.execPath, [warmUp, cache, dist], { encoding: "utf8" });
  if (run.status === 0 && existsSync(cache)) {
    place("streambro-cli.cache", Buffer.concat([Buffer.from(id, "latin1"), readFileSync(cache)]));
  } else {
    process.stderr.write(`bundle: no code cache, the CLI did not run once:\n${run.stderr}`);
    rmSync(path.join(dist, "streambro-cli.cache"), { force: true });
  }
  rmSync(scratch, { recursive: true });
};

const buildDaemon = async () => {
  const files = await bundle("daemon/main.ts", {
    ...(values.out === undefined ? { sourcemap: "linked", sourcesContent: false } : {}),
    entryNames: "streambrod-daemon",
  });
  if (files[".map"] !== undefined) place("streambrod-daemon.js.map", files[".map"]);
  place("streambrod-daemon.cjs", files[".js"]);
  place("streambrod.cjs", launcher("streambrod", 'require("./streambrod-daemon.cjs");\n'));
  const reach = await bundle("daemon/reach/open-for.ts", { entryNames: "streambro-reach" });
  place("streambro-reach.cjs", reach[".js"]);
  // A runner at work reads the old file to its end.
  place("runner.sh", readFileSync(path.join(root, "daemon/runner/runner.sh")));
};

const [wanted] = positionals;
mkdirSync(dist, { recursive: true });
if (wanted !== "daemon") await buildCli();
if (wanted !== "cli") await buildDaemon();
if (values.packages !== undefined)
  writeFileSync(values.packages, JSON.stringify([...packages.values()]));
else if (wanted === undefined) place("licences.txt", licenceText([...packages.values()], root));
