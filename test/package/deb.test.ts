import { readFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { command, output } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { buildDeb } from "./built.ts";

const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-deb-"));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const missing = process.platform === "linux" ? false : "package: only Linux has dpkg-deb";
const deb = await buildDeb(path.join(scratch, "one"));
const tree = path.join(scratch, "tree");
await output("dpkg-deb", ["-R", deb, tree]);
const inside = (name: string): string => path.join(tree, name);
const read = (name: string): string => readFileSync(inside(name), "utf8");

t.test("the same sources make the same bytes", { skip: missing }, async (t) => {
  // In another place, at another time, under another mask.
  const script = `umask 077; unset NODE_OPTIONS; exec "$0" --compress zstd --out "$1"`;
  const again = path.join(scratch, "somewhere/else");
  const bin = path.resolve(import.meta.dirname, "../../scripts/package-deb");
  const env = { ...plainEnvironment(), TZ: "Asia/Tokyo", LC_ALL: "C", HOME: scratch };
  await output("sh", ["-c", script, bin, again], { env });
  const other = path.join(again, path.basename(deb));
  const { code, stdout } = await command("cmp", [deb, other]);
  t.equal(code, 0, stdout);
});

t.test("what is in it", async (t) => {
  const { stdout: listed } = await command("dpkg-deb", ["-c", deb]);
  const entries = listed
    .trim()
    .split("\n")
    .map((line) => {
      const [mode = "", owner = "", , , , name = ""] = line.split(/\s+/);
      return { mode, owner, name: name.replace(/^\./, "") };
    });
  const names = entries.map(({ name }) => name);
  for (const wanted of [
    "/usr/bin/streambro",
    "/usr/bin/streambrod",
    "/usr/lib/streambro/bin/node",
    "/usr/lib/streambro/dist/streambro-cli.cache",
    "/usr/lib/streambro/dist/runner.sh",
    "/usr/lib/systemd/system/streambro.service",
    "/usr/lib/sysusers.d/streambro.conf",
    "/usr/lib/tmpfiles.d/streambro.conf",
    "/etc/streambro/streambro.yaml",
    "/usr/share/man/man1/streambro.1.gz",
    "/usr/share/man/man8/streambrod.8.gz",
    "/usr/share/man/man5/streambro.yaml.5.gz",
    "/usr/share/bash-completion/completions/streambro",
    "/usr/share/zsh/vendor-completions/_streambro",
    "/usr/share/fish/vendor_completions.d/streambro.fish",
    "/usr/share/doc/streambro/copyright",
    "/usr/share/doc/streambro/changelog.Debian.gz",
  ])
    t.ok(names.includes(wanted), wanted);
  const built = readdirSync(path.resolve(import.meta.dirname, "../../dist"));
  for (const name of built.filter((one) => one.endsWith(".cjs")))
    t.ok(names.includes(`/usr/lib/streambro/dist/${name}`), name);
  t.same(
    entries.filter(({ owner }) => owner !== "root/root"),
    [],
  );
  const modes = new Set(entries.map(({ mode }) => mode));
  t.same([...modes].sort(), ["-rw-r--r--", "-rwxr-xr-x", "drwxr-xr-x"]);
  const programs = entries.filter(({ mode }) => mode === "-rwxr-xr-x").map(({ name }) => name);
  t.same(programs.sort(), [
    "/usr/bin/streambro",
    "/usr/bin/streambrod",
    "/usr/lib/streambro/bin/node",
    "/usr/lib/streambro/bin/streambrod",
  ]);
  t.equal(names.filter((name) => name.endsWith(".node")).length, 1, "koffi for one platform");
  t.same(
    names.filter((name) => /\.(map|ts|tsbuildinfo)$/.test(name)),
    [],
  );
});

t.test("what it says of itself", async (t) => {
  const field = async (name: string): Promise<string> =>
    (await output("dpkg-deb", ["-f", deb, name])).trim();
  t.match(await field("Version"), /^\d+\.\d+\.\d+-1$/);
  t.match(await field("Depends"), /\bffmpeg \(>= .*\biproute2\b/);
  t.match(await field("Recommends"), /\bacl\b/, "what its refusals say to type is there");
  const kb = Number(await field("Installed-Size"));
  const { stdout } = await command("du", ["-sk", "--apparent-size", tree]);
  t.ok(Math.abs(kb - Number(stdout.split("\t", 1)[0])) < 0.02 * kb, `${kb} KB`);
  t.ok(kb < 130_000, "Node is most of it");
  t.equal(read("DEBIAN/conffiles"), "/etc/streambro/streambro.yaml\n");
  const sums = await command("md5sum", ["-c", "--quiet", "DEBIAN/md5sums"], { cwd: tree });
  t.equal(sums.code, 0, sums.stdout);
});

t.test("whose work is in it", async (t) => {
  const copyright = read("usr/share/doc/streambro/copyright");
  const stanzas = copyright.split(/\n\n/).slice(1);
  t.ok(stanzas.length > 20, `${stanzas.length} parts`);
  for (const stanza of stanzas)
    t.match(
      stanza,
      /^Files: .+\n(Comment: .+\n)?Copyright: .+\n(?: .+\n)*License: \S+\n (?:.|\n)+/,
    );
  const bundle = read("usr/lib/streambro/dist/streambrod-daemon.cjs");
  const bundled = new Set(
    [...bundle.matchAll(/^\/\/ (node_modules\/(?:@[^/\n]+\/)?[^/\n]+)/gm)].map(
      ([, folder]) => folder,
    ),
  );
  t.ok(bundled.size > 20, `${bundled.size} packages`);
  t.same(
    [...bundled].filter((folder) => !copyright.includes(`${folder}/*`)),
    [],
  );
  for (const name of ["usr/lib/streambro/bin/node", "usr/lib/streambro/node_modules/*"])
    t.ok(copyright.includes(`Files: ${name}\n`), name);
});

t.test("what is in it runs from where it lies", async (t) => {
  const lib = inside("usr/lib/streambro");
  const start = async (...args: string[]): Promise<string> =>
    output(path.join(lib, "bin/node"), args, { env: { PATH: "/usr/bin:/bin" } });
  const { version } = JSON.parse(read("usr/lib/streambro/package.json"));
  t.equal(await start(`${lib}/dist/streambro.cjs`, "--version"), `${version}\n`);
  t.equal(
    await output(`${lib}/bin/streambrod`, ["--version"], { env: { PATH: "/usr/bin:/bin" } }),
    `${version}\n`,
    "with the Node beside it",
  );
  t.equal(
    await start("-p", `require("${lib}/node_modules/koffi").load(null).func("int getpid()")() > 0`),
    "true\n",
  );
  const cached = `const {readFileSync:r}=require("fs"),d="${lib}/dist/streambro-cli";const s=new(require("vm").Script)(r(d+".cjs","utf8"),{cachedData:r(d+".cache").subarray(40)});console.log(s.cachedDataRejected)`;
  t.equal(await start("-e", cached), "false\n", "its code cache is taken");
});

t.test("its scripts are plain sh", async (t) => {
  for (const name of ["preinst", "postinst", "prerm", "postrm"]) {
    t.ok((statSync(inside(`DEBIAN/${name}`)).mode & 0o111) !== 0, name);
    const { code, stderr } = await command("dash", ["-n", inside(`DEBIAN/${name}`)]);
    t.equal(code, 0, stderr);
  }
});

t.test("wrong options are told", async (t) => {
  const script = path.resolve(import.meta.dirname, "../../scripts/package-deb");
  const env = plainEnvironment();
  for (const args of [["--revision", "a b"], ["--nonsense"]]) {
    const { code, stderr } = await command(script, args, { env });
    t.equal(code, 2);
    t.match(stderr, /^package-deb: /);
  }
  const dated = await command(script, ["--out", scratch], {
    env: { ...env, SOURCE_DATE_EPOCH: "now" },
  });
  t.match(dated.stderr, /SOURCE_DATE_EPOCH has to be seconds/);
});
