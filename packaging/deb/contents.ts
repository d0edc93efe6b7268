import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { describedProgram } from "../../cli/program.ts";
import { bashCompletion } from "../../cli/completion/bash.ts";
import { fishCompletion } from "../../cli/completion/fish.ts";
import { modelOf } from "../../cli/completion/model.ts";
import { zshCompletion } from "../../cli/completion/zsh.ts";
import { defaultConfig } from "../default-config.ts";
import { manuals } from "../man/manuals.ts";
import { copyrightFile } from "./copyright.ts";
import type { Part } from "./copyright.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import type { Tree } from "./tree.ts";

export type Manifest = {
  readonly version: string;
  readonly description: string;
  readonly license: string;
};

const LIB = "usr/lib/streambro";
const DOC = "usr/share/doc/streambro";
export const CONFIG = "etc/streambro/streambro.yaml";

/** Lays out everything that is installed, from a checkout at `root`. */
export const layOut = (tree: Tree, root: string, manifest: Manifest, node: NodeRuntime): void => {
  const read = (name: string): string => readFileSync(path.join(root, name), "utf8");
  const { version, description, license } = manifest;
  const own = { name: "streambro", version, description, license, private: true };
  tree.put(`${LIB}/package.json`, `${JSON.stringify(own, null, 2)}\n`);
  const carried = putPrograms(tree, root, node);

  tree.put("usr/lib/systemd/system/streambro.service", read("streambro.service"));
  for (const kind of ["sysusers", "tmpfiles"])
    tree.put(`usr/lib/${kind}.d/streambro.conf`, read(`packaging/systemd/streambro.${kind}`));
  tree.put(CONFIG, defaultConfig());

  for (const [name, text] of Object.entries(manuals(version)))
    tree.putZipped(`usr/share/man/man${name.at(-1) ?? ""}/${name}`, text);
  const model = modelOf(describedProgram());
  tree.put("usr/share/bash-completion/completions/streambro", bashCompletion(model));
  tree.put("usr/share/zsh/vendor-completions/_streambro", zshCompletion(model));
  tree.put("usr/share/fish/vendor_completions.d/streambro.fish", fishCompletion(model));

  tree.put(`${DOC}/copyright`, copyrightFile(read("LICENSE"), carried));
  tree.putZipped(`${DOC}/changelog`, read("CHANGELOG.md"));
  for (const page of ["README.md", "SECURITY.md"]) tree.put(`${DOC}/${page}`, read(page));
  for (const name of readdirSync(path.join(root, "docs")).filter((one) => one.endsWith(".md")))
    tree.put(`${DOC}/docs/${name}`, read(`docs/${name}`));
};

/** Node, the bundles, koffi and what starts them; gives whose work is in them. */
const putPrograms = (tree: Tree, root: string, node: NodeRuntime): Part[] => {
  tree.putProgram(`${LIB}/bin/streambrod`, readFileSync(path.join(root, "bin/streambrod")));
  for (const name of ["streambro", "streambrod"]) {
    const launcher = path.join(root, "packaging/debian/bin", name);
    tree.putProgram(`usr/bin/${name}`, readFileSync(launcher));
  }
  tree.copy(`${LIB}/bin/node`, node.binary);
  // Symbols that only a debugger reads, a seventh of it.
  spawnSync("strip", ["--strip-unneeded", path.join(tree.root, LIB, "bin/node")]);
  return [
    { ...node, files: `${LIB}/bin/node`, name: "node", licence: "Node.js", author: null },
    ...putBundles(tree, root),
    ...putKoffi(tree, root),
  ];
};

const putBundles = (tree: Tree, root: string): Part[] => {
  const list = `${tree.root}.packages`;
  const out = path.join(tree.root, LIB, "dist");
  const command = [path.join(root, "scripts/bundle.mjs"), "--out", out, "--packages", list];
  execFileSync(process.execPath, command, { stdio: "inherit" });
  const bundled: readonly (Part & { readonly folder: string })[] = JSON.parse(
    readFileSync(list, "utf8"),
  );
  rmSync(list);
  const modules = path.join(root, "node_modules");
  return bundled.map((one) => {
    return { ...one, files: `node_modules/${path.relative(modules, one.folder)}/*` };
  });
};

/** What it is loaded from, out of sources, documentation and a build for another C library. */
const KOFFI = [
  "package.json",
  "index.js",
  "index.cjs",
  "src/koffi/index.js",
  "src/koffi/index.cjs",
  "src/koffi/src/static.js",
  "src/koffi/src/static.cjs",
];

const putKoffi = (tree: Tree, root: string): Part[] => {
  const platform = `@koromix/koffi-${process.platform}-${process.arch}`;
  const binary = `${process.platform}_${process.arch}/koffi.node`;
  const copy = (name: string): void =>
    tree.copy(`${LIB}/node_modules/${name}`, path.join(root, "node_modules", name));
  for (const name of KOFFI) copy(`koffi/${name}`);
  for (const name of ["package.json", "index.js", binary]) copy(`${platform}/${name}`);
  const folder = path.join(root, "node_modules/koffi");
  const koffi: { readonly version: string; readonly license: string } = JSON.parse(
    readFileSync(path.join(folder, "package.json"), "utf8"),
  );
  const text = readFileSync(path.join(folder, "LICENSE.txt"), "utf8");
  const { version, license: licence } = koffi;
  const files = `${LIB}/node_modules/*`;
  return [{ files, name: "koffi", version, licence, author: null, text }];
};
