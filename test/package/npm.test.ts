import { existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { command, output } from "../helpers/command.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-npm-"));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

// npm hands its own settings down to what it runs, and may itself run these tests.
const env = Object.fromEntries(
  Object.entries(plainEnvironment()).filter(
    ([name]) => !/^npm_(package|lifecycle|command)/.test(name),
  ),
);
/** The test runner adds its own loader to every child, and npm's are not made for it. */
const NPM = ["-u", "NODE_OPTIONS", "npm"];
const manifest: {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

const OFFLINE =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ERR_SOCKET_TIMEOUT/;

const size = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => lstatSync(path.join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);

t.test("npm pack, npm install -g", { timeout: 120_000 }, async (t) => {
  const packed = await output("env", [...NPM, "pack", "--json", "--pack-destination", scratch], {
    cwd: ROOT,
    env,
    timeoutMs: 90_000,
  });
  // What the build prints comes before it, or after.
  const [described]: readonly {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[] = JSON.parse(/^\[\n[\s\S]*^\]$/m.exec(packed)?.[0] ?? "[]");

  await t.test("what is in it", async (t) => {
    const kinds = new Set(
      described?.files.map(({ path: file }) =>
        file
          .replace(/^docs\/[a-z-]+\.md$/, "docs/*.md")
          .replace(/^dist\/man\/.*/, "dist/man/*")
          .replace(/^dist\/streambro[a-z-]*\.cjs$/, "dist/*.cjs"),
      ),
    );
    t.same([...kinds].sort(), [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "bin/streambro",
      "bin/streambrod",
      "dist/*.cjs",
      "dist/licences.txt",
      "dist/man/*",
      "dist/runner.sh",
      "dist/streambro-cli.cache",
      "docs/*.md",
      "package.json",
      "packaging/systemd/streambro.sysusers",
      "packaging/systemd/streambro.tmpfiles",
      "streambro.service",
    ]);
  });

  const prefix = path.join(scratch, "prefix");
  const tarball = path.join(scratch, described?.filename ?? "");
  const once = ["--fetch-retries=0", "--fetch-timeout=20000", "--no-audit", "--no-fund"];
  const installed = await command(
    "env",
    [...NPM, "install", "-g", "--prefix", prefix, ...once, tarball],
    {
      cwd: scratch,
      env,
      timeoutMs: 90_000,
    },
  );
  if (installed.code !== 0 && OFFLINE.test(installed.stderr)) {
    t.test("npm: there is no registry within reach", { skip: "no registry" }, async () => {});
    return;
  }
  t.equal(installed.code, 0, installed.stderr);
  const own = path.join(prefix, "lib/node_modules/streambro");

  await t.test("it runs", async (t) => {
    const bin = path.join(prefix, "bin");
    const run = (program: string): Promise<string> =>
      output(path.join(bin, program), ["--version"], { env });
    t.equal(await run("streambrod"), `${manifest.version}\n`);
    t.equal(await run("streambro"), `${manifest.version}\n`);
    const daemon = await startDaemon({ bin });
    t.teardown(() => daemon.end());
    t.equal((await daemon.cli("ls")).code, 0);
    t.notMatch(daemon.log(), /koffi/, "the kernel can be asked who asks");
    for (const page of ["man1/streambro.1", "man5/streambro.yaml.5", "man8/streambrod.8"])
      t.ok(existsSync(path.join(prefix, "share/man", page)), page);
  });

  await t.test("it is as small as README says", async (t) => {
    const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
    const [, count, mb] =
      /(\d+) package of npm's besides its own, koffi with its binary, (\d+) MB/.exec(
        readme.replace(/\s+/g, " "),
      ) ?? [];
    t.equal(Number(count), Object.keys(manifest.dependencies).length);
    const found = readdirSync(path.join(own, "node_modules"), {
      recursive: true,
      encoding: "utf8",
    }).filter((name) => /^(@[^/]+\/)?[^/]+\/package\.json$/.test(name));
    t.same(found.sort(), [
      `@koromix/koffi-linux-${process.arch}/package.json`,
      "koffi/package.json",
    ]);
    t.equal(Math.round(size(own) / 1e6), Number(mb));
  });
});
