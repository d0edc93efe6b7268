import { messageOf } from "../log/message-of.ts";
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import type { Environment } from "../../shared/paths.ts";
import { printable } from "../../shared/stream-name.ts";
import { type Settings, SettingsSchema } from "./settings.ts";

export type Loaded = { readonly ok: true; readonly settings: Settings } | Refused;
type Refused = { readonly ok: false; readonly message: string };

const NAMES = Object.keys(SettingsSchema.shape);

/**
 * Settings from the file, the environment over it, defaults below both. A file that was asked for must
 * exist; the default one need not.
 */
export const loadSettings = (file: string, mustExist: boolean, env: Environment): Loaded => {
  const fromFile = readSettingsFile(file, mustExist);
  if (!fromFile.ok) return fromFile;
  const merged: Record<string, unknown> = {};
  const origin = new Map<string, string>();
  for (const [key, value] of Object.entries(fromFile.values)) {
    merged[key.toUpperCase()] = value;
    origin.set(key.toUpperCase(), `${file}: ${key}`);
  }
  for (const name of NAMES) {
    const value = env[name];
    if (value === undefined || value === "") continue;
    merged[name] = value;
    origin.set(name, `the environment's ${name}`);
  }
  const parsed = SettingsSchema.safeParse(merged);
  if (parsed.success) return { ok: true, settings: parsed.data };
  return {
    ok: false,
    message: parsed.error.issues.map((issue) => sentence(issue, origin)).join("\n"),
  };
};

const sentence = (issue: z.core.$ZodIssue, origin: ReadonlyMap<string, string>): string => {
  if (issue.code === "unrecognized_keys") {
    const where = issue.keys.map((key) => printable(origin.get(key) ?? key)).join(", ");
    return `${where}: there is no such setting. The settings are: ${NAMES.join(", ").toLowerCase()}.`;
  }
  const name = String(issue.path[0] ?? "");
  return `${printable(origin.get(name) ?? name)}: ${issue.message}.`;
};

type FileValues = { readonly ok: true; readonly values: Record<string, unknown> } | Refused;

const readSettingsFile = (file: string, mustExist: boolean): FileValues => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" && !mustExist) return { ok: true, values: {} };
    const why = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    return { ok: false, message: `The configuration ${file}: ${why}.` };
  }
  try {
    const values: unknown = parseYaml(text) ?? {};
    if (typeof values === "object" && !Array.isArray(values)) {
      return { ok: true, values: values as Record<string, unknown> };
    }
    return {
      ok: false,
      message: `The configuration ${file} must hold lines such as "retry_max_ms: 10000".`,
    };
  } catch (error) {
    const why = messageOf(error);
    return { ok: false, message: `The configuration ${file} is not YAML: ${why}` };
  }
};
