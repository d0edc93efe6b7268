import { readFileSync } from "node:fs";

/** This release, as package.json has it; cli/ and dist/ both lie directly below that. */
export const version = (): string => {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(`${import.meta.dirname}/../package.json`, "utf8"),
  );
  return manifest.version;
};
