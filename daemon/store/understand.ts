import { z } from "zod";
import { printable } from "../../shared/stream-name.ts";

/**
 * What a file's contents come to. `newer`: whole, and not to be understood by this release, as a newer
 * one, or somebody by hand, wrote it; `bad`: damaged.
 */
export type Understood<T> =
  | { readonly is: "good"; readonly value: T }
  | { readonly is: "newer"; readonly why: string }
  | { readonly is: "bad"; readonly why: string };

/**
 * What stands in for a word that this release does not know, by the end of its path. Where nothing does,
 * as a stream would then do what nobody asked for, the whole file is one of a newer release.
 */
const STAND_INS: readonly (readonly [path: string, standIn: string])[] = [
  ["reason", "unknown"],
  ["onResourceBreach", "warn"],
  ["tracks.video.action", "encode"],
  ["tracks.audio.action", "encode"],
  // A state of rest: what is wanted of the stream stands in its specification.
  ["rest.is", "stopped"],
];

/**
 * Parses against `schema`, an object with a `version`. The rule for every file: each version that the
 * schema names is read, unknown fields are ignored, and what only a newer release can have written is
 * told apart from damage.
 */
export const understand = <S extends z.ZodType>(
  raw: unknown,
  schema: S,
): Understood<z.output<S>> => {
  const newest = newestVersion(schema);
  const version = isObject(raw) ? raw["version"] : undefined;
  if (newest !== null && Number.isInteger(version) && Number(version) > newest) {
    const why = `it was written by a newer StreamBro: its format is version ${String(version)}, and this release reads up to ${newest}`;
    return { is: "newer", why };
  }
  const first = schema.safeParse(raw);
  if (first.success) return { is: "good", value: first.data };
  const second = schema.safeParse(withStandIns(raw, first.error.issues));
  if (second.success) return { is: "good", value: second.data };
  const { issues } = second.error;
  if (issues.every((issue) => isBeyond(issue, raw))) {
    const why = `it holds what this release does not know, so a newer StreamBro, or somebody by hand, wrote it: ${worded(second.error)}`;
    return { is: "newer", why };
  }
  return { is: "bad", why: worded(second.error) };
};

/** The schema itself says so: `version` is a literal, or one of several. */
const newestVersion = (schema: z.ZodType): number | null => {
  const version: unknown = schema instanceof z.ZodObject ? schema.shape["version"] : null;
  return version instanceof z.ZodLiteral ? Math.max(...[...version.values].map(Number)) : null;
};

type Issue = z.core.$ZodIssue;

const withStandIns = (raw: unknown, issues: readonly Issue[]): unknown => {
  const copy: unknown = structuredClone(raw);
  for (const { path } of issues) {
    const end = `.${path.join(".")}`;
    const standIn = STAND_INS.find(([suffix]) => end.endsWith(`.${suffix}`))?.[1];
    const last = path.at(-1);
    const holder = at(copy, path.slice(0, -1));
    if (standIn === undefined || last === undefined || !isObject(holder)) continue;
    if (typeof holder[String(last)] === "string") holder[String(last)] = standIn;
  }
  return copy;
};

/** Of the right type, and outside what this release takes: damage does not look like that. */
const isBeyond = (issue: Issue, raw: unknown): boolean => {
  if (issue.path.length === 1 && issue.path[0] === "version") return false;
  const value = at(raw, issue.path);
  if (issue.code === "invalid_value" || issue.code === "invalid_union")
    return typeof value === "string" && value !== "";
  if (issue.code === "invalid_format") return value !== "";
  return issue.code === "too_big" || issue.code === "not_multiple_of";
};

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A path in it is made of words of the file. */
const worded = (error: z.ZodError): string =>
  printable(z.prettifyError(error).replaceAll("\n", " "), 1_000);
