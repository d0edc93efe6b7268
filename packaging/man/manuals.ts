import { streambroYamlPage } from "./streambro-yaml.ts";
import { streambroPage } from "./streambro.ts";
import { streambrodPage } from "./streambrod.ts";

/** Every manual by the name of its file, which ends with its section. */
export const manuals = (version: string): Readonly<Record<string, string>> => ({
  "streambro.1": streambroPage(version),
  "streambrod.8": streambrodPage(version),
  "streambro.yaml.5": streambroYamlPage(version),
});
