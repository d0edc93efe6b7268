import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

export type NodeRuntime = {
  readonly binary: string;
  readonly version: string;
  /** The text of its licence, and of those of what is in it. */
  readonly text: string;
};

/** The Node that runs this, if it can be carried elsewhere; else why not, a sentence. */
export const nodeRuntime = (): NodeRuntime | string => {
  const binary = realpathSync(process.execPath);
  const { variables } = process.config as { variables: Readonly<Record<string, unknown>> };
  const shared = Object.entries(variables).some(
    ([name, value]) => name.startsWith("node_shared") && value === true,
  );
  if (shared) {
    return (
      `${binary} needs libraries of this system, so it cannot be put into a package. Use one from ` +
      "nodejs.org, or have scripts/bootstrap install one: take this one off PATH."
    );
  }
  const places = ["../LICENSE", "../share/doc/nodejs/LICENSE", "../share/doc/nodejs/copyright"].map(
    (place) => path.resolve(path.dirname(binary), place),
  );
  const licence = places.find((place) => existsSync(place));
  if (licence === undefined)
    return `${binary} has no LICENSE beside it, and must not be passed on without one.`;
  return { binary, version: process.versions.node, text: readFileSync(licence, "utf8") };
};
