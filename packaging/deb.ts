// Builds the Debian package from what scripts/bootstrap has installed: see USAGE.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { CONFIG, layOut } from "./deb/contents.ts";
import type { Manifest } from "./deb/contents.ts";
import { controlFile, debianChangelog } from "./deb/control.ts";
import { nodeRuntime } from "./deb/node-runtime.ts";
import { installedKb, md5sums, normalise, treeAt } from "./deb/tree.ts";

const USAGE = `usage: scripts/package-deb [--out DIR] [--revision N] [--compress xz|zstd|gzip|none] [--maintainer "NAME <MAIL>"]

Builds streambro_VERSION-N_ARCHITECTURE.deb in DIR, by default build/. Needs no network. The same
sources, Node and tools make the same bytes; SOURCE_DATE_EPOCH is the time that its files get, by
default that of the last commit.
`;

const root = path.resolve(import.meta.dirname, "..");
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const SCRIPTS = ["preinst", "postinst", "prerm", "postrm"];

const fail = (sentence: string, status = 1): never => {
  process.stderr.write(`package-deb: ${sentence}\n`);
  process.exit(status);
};

const options = () => {
  try {
    return parseArgs({
      options: {
        out: { type: "string", default: path.join(root, "build") },
        revision: { type: "string", default: "1" },
        compress: { type: "string", default: "xz" },
        maintainer: { type: "string", default: "StreamBro <streambro@localhost>" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, 2);
  }
};

/** Seconds since 1970 that every file of the package gets. */
const sourceDate = (): number => {
  const given = process.env["SOURCE_DATE_EPOCH"] ?? "";
  if (/^\d+$/.test(given)) return Number(given);
  if (given !== "") return fail(`SOURCE_DATE_EPOCH has to be seconds since 1970, not "${given}".`);
  try {
    const git = ["-C", root, "log", "-1", "--format=%ct"];
    return Number(execFileSync("git", git, { stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    // No clone.
    return Math.floor(statSync(path.join(root, "CHANGELOG.md")).mtimeMs / 1000);
  }
};

const given = options();
if (given.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const { revision, compress, maintainer } = given;
if (!/^[a-z0-9.+~]+$/i.test(revision)) fail("--revision takes letters, digits and . + ~", 2);
if (!["xz", "zstd", "gzip", "none"].includes(compress))
  fail("--compress takes xz, zstd, gzip or none", 2);
const architecture =
  ARCHITECTURES[process.arch] ?? fail(`there is no package for ${process.arch} yet.`);
const node = nodeRuntime();
if (typeof node === "string") throw fail(node);

const manifest: Manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const version = `${manifest.version}-${revision}`;
const epoch = sourceDate();
process.umask(0o022);
const out = path.resolve(given.out);
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(path.join(out, ".deb-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const tree = treeAt(path.join(scratch, "tree"));
layOut(tree, root, manifest, node);
const doc = "usr/share/doc/streambro";
tree.putZipped(`${doc}/changelog.Debian`, debianChangelog({ version, maintainer }, epoch));

const { description } = manifest;
const size = installedKb(tree);
const control = { version, architecture, maintainer, description, installedKb: size };
tree.put("DEBIAN/control", controlFile(control));
tree.put("DEBIAN/conffiles", `/${CONFIG}\n`);
tree.put("DEBIAN/md5sums", md5sums(tree, [CONFIG]));
for (const name of SCRIPTS)
  tree.putProgram(
    `DEBIAN/${name}`,
    readFileSync(path.join(root, "packaging/debian", name), "utf8"),
  );
normalise(tree, epoch);

const name = `streambro_${version}_${architecture}.deb`;
const draft = path.join(scratch, name);
// A fast one for tests; for everybody else what every Debian can read.
const how = compress === "xz" ? ["-Zxz"] : [`-Z${compress}`, "-z1"];
execFileSync("dpkg-deb", ["--root-owner-group", ...how, "--build", tree.root, draft], {
  env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
  stdio: ["ignore", "ignore", "inherit"],
});
const made = path.join(out, name);
renameSync(draft, made);
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
process.stdout.write(
  `${made}\n${mb(statSync(made).size)}, ${mb(size * 1024)} installed, with Node ${node.version} inside\n` +
    `Install or upgrade: sudo apt install ${path.relative(process.cwd(), made).replace(/^(?![./])/, "./")}\n`,
);
