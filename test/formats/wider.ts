import { isDeepStrictEqual } from "node:util";
import type { JsonSchema } from "./frozen.ts";

/**
 * What a file that fits `written` could hold and a reader of `read` would not take, a sentence each: words,
 * types, bounds, missing fields. Of JSON Schema it knows what zod makes.
 */
export const wider = (written: JsonSchema, read: JsonSchema, at = ""): string[] => {
  const variants = listOf(written, "anyOf") ?? listOf(written, "oneOf");
  if (variants !== null) return variants.flatMap((one) => wider(one, read, at));
  const readable = listOf(read, "anyOf") ?? listOf(read, "oneOf");
  if (readable !== null) {
    const all = readable.map((one) => wider(written, one, at));
    // The nearest one tells the most.
    return all.toSorted((a, b) => score(a, at) - score(b, at))[0] ?? [];
  }
  if (Object.keys(read).every((key) => key === "$schema" || key === "default")) return [];
  const words = wordsOf(written);
  const known = wordsOf(read);
  if (known !== null) {
    const strange = (words ?? [written["type"]]).filter((one) => !known.includes(one));
    return strange.map((one) => `${at}: ${JSON.stringify(one)} is not known`);
  }
  const types = [written["type"]].flat().filter((type) => !isOneOf(type, [read["type"]].flat()));
  if (types.length > 0)
    return [`${at}: may be ${types.join(" or ")}, and is ${String(read["type"])}`];
  return [
    ...outOfBounds(written, read, at),
    ...(written["type"] === "object" ? widerObject(written, read, at) : []),
    ...(written["type"] === "array"
      ? wider(sub(written, "items"), sub(read, "items"), `${at}[]`)
      : []),
  ];
};

const score = (complaints: readonly string[], at: string): number =>
  // Another kind of thing altogether, or another variant by its first word, is further away.
  complaints.length +
  (complaints.some((one) => one.startsWith(`${at}: `) || one.startsWith(`${at}.is: `)) ? 1_000 : 0);

const widerObject = (written: JsonSchema, read: JsonSchema, at: string): string[] => {
  const [own, known] = [sub(written, "properties"), sub(read, "properties")];
  const required = (one: JsonSchema): string[] => (one["required"] as string[] | undefined) ?? [];
  const missing = required(read).filter((key) => !required(written).includes(key));
  return [
    ...missing.map((key) => `${at}.${key}: may be missing`),
    // What a reader does not know it ignores.
    ...Object.keys(known).flatMap((key) =>
      Object.hasOwn(own, key) ? wider(sub(own, key), sub(known, key), `${at}.${key}`) : [],
    ),
    ...(Object.hasOwn(read, "additionalProperties")
      ? wider(sub(written, "additionalProperties"), sub(read, "additionalProperties"), `${at}.*`)
      : []),
  ];
};

const outOfBounds = (written: JsonSchema, read: JsonSchema, at: string): string[] => {
  const least = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
  const most = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];
  const same = ["pattern", "multipleOf", "format"];
  return [...least, ...most, ...same].flatMap((key) => {
    const [own, bound] = [written[key], read[key]];
    if (bound === undefined || isDeepStrictEqual(own, bound)) return [];
    const isWithin =
      typeof own === "number" &&
      typeof bound === "number" &&
      ((least.includes(key) && own >= bound) || (most.includes(key) && own <= bound));
    return isWithin
      ? []
      : [`${at}: ${key} is ${JSON.stringify(own)}, and was ${JSON.stringify(bound)}`];
  });
};

const wordsOf = (one: JsonSchema): readonly unknown[] | null =>
  Object.hasOwn(one, "const") ? [one["const"]] : ((one["enum"] as unknown[] | undefined) ?? null);

const isOneOf = (type: unknown, known: readonly unknown[]): boolean =>
  known.includes(undefined) ||
  known.includes(type) ||
  (type === "integer" && known.includes("number"));

const listOf = (one: JsonSchema, key: string): readonly JsonSchema[] | null =>
  (one[key] as JsonSchema[] | undefined) ?? null;

const sub = (one: JsonSchema, key: string): JsonSchema =>
  (one[key] as JsonSchema | undefined) ?? {};
