import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { constants, gzipSync } from "node:zlib";

/** The package's files as they are to be installed, below a directory. */
export type Tree = {
  readonly root: string;
  readonly put: (name: string, contents: string | Buffer) => void;
  readonly putProgram: (name: string, contents: string | Buffer) => void;
  readonly putZipped: (name: string, contents: string | Buffer) => void;
  readonly copy: (name: string, from: string) => void;
  /** Every file, without what belongs to dpkg itself, sorted. */
  readonly files: () => readonly string[];
};

export const treeAt = (root: string): Tree => {
  const place = (name: string): string => {
    const target = path.join(root, name);
    mkdirSync(path.dirname(target), { recursive: true });
    return target;
  };
  const put: Tree["put"] = (name, contents) => writeFileSync(place(name), contents);
  return {
    root,
    put,
    putProgram: (name, contents) => {
      put(name, contents);
      chmodSync(path.join(root, name), 0o755);
    },
    putZipped: (name, contents) =>
      put(`${name}.gz`, gzipSync(contents, { level: constants.Z_BEST_COMPRESSION })),
    copy: (name, from) => copyFileSync(from, place(name)),
    files: () => below(root).filter((name) => !name.startsWith("DEBIAN/")),
  };
};

const below = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => lstatSync(path.join(root, name)).isFile())
    .sort();

/** As dpkg has it: the KiB that its files take, each rounded up, and one for each directory. */
export const installedKb = ({ root }: Tree): number =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name !== "DEBIAN" && !name.startsWith("DEBIAN/"))
    .map((name) => lstatSync(path.join(root, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? Math.ceil(stat.size / 1024) : 1), 0);

export const md5sums = (tree: Tree, without: readonly string[]): string =>
  tree
    .files()
    .filter((name) => !without.includes(name))
    .map((name) => {
      const sum = createHash("md5").update(readFileSync(path.join(tree.root, name)));
      return `${sum.digest("hex")}  ${name}\n`;
    })
    .join("");

/** One mode for directories, one for files, one for programs, and one time for all: whoever builds, and when. */
export const normalise = (tree: Tree, epoch: number): void => {
  for (const name of ["", ...readdirSync(tree.root, { recursive: true, encoding: "utf8" })]) {
    const file = path.join(tree.root, name);
    const stat = lstatSync(file);
    chmodSync(file, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
    lutimesSync(file, epoch, epoch);
  }
};
