// Whose code a bundle holds, and under which licence: by esbuild's own word, not by a list kept by hand.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

const isLicence = (name) => /^(licen[cs]e|copying)/i.test(name);

/** A package in `folder`: { name, version, licence, folder, text }, the text being its licence file's. */
export const packageAt = (folder) => {
  const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const [file] = readdirSync(folder).filter(isLicence).sort();
  const text = file === undefined ? null : readFileSync(path.join(folder, file), "utf8").trim();
  const { name, version, license } = manifest;
  const author = typeof manifest.author === "string" ? manifest.author : manifest.author?.name;
  return { name, version, licence: license, author: author ?? null, folder, text };
};

/** The npm packages of which something is in a bundle, by name. */
export const packagesIn = ({ outputs }, root) => {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs.flatMap(([file, { bytesInOutput }]) => {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    return folder === undefined || bytesInOutput === 0 ? [] : [path.resolve(root, folder)];
  });
  return [...new Set(folders)]
    .map(packageAt)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
};

const RULE = "-".repeat(78);

/** What a package of ours has to say of those whose code it carries. */
export const licenceText = (packages, root) => {
  const parts = packages
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(
      ({ name, version, licence, author, text }) =>
        `${RULE}\n${name} ${version} (${licence})${author === null ? "" : `, by ${author}`}\n\n${text ?? "It comes without a licence file."}\n`,
    );
  const own = readFileSync(path.join(root, "LICENSE"), "utf8");
  return `${own}\nThe files beside this one also hold code of:\n\n${parts.join("\n")}`;
};
