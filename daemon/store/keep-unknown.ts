import { isDeepStrictEqual } from "node:util";

/**
 * What is to be written in place of a file, so that nothing is lost that this release does not
 * understand: `raw` is what the file says, `understood` what this release made of it, `wanted` what it
 * is to say. What was not changed stays as it was written; fields that are unknown stay too.
 */
export const keepUnknown = (raw: unknown, understood: unknown, wanted: unknown): unknown => {
  if (Array.isArray(raw) && Array.isArray(understood) && Array.isArray(wanted))
    // Of a list that was changed nobody can say what belongs to what.
    return raw.length === wanted.length && understood.length === wanted.length
      ? wanted.map((one, index) => keepUnknown(raw[index], understood[index], one))
      : wanted;
  if (!isObject(raw) || !isObject(understood) || !isObject(wanted))
    return isDeepStrictEqual(understood, wanted) ? raw : wanted;
  const known = Object.entries(wanted).map(([key, value]): [string, unknown] => {
    const isCommon = Object.hasOwn(raw, key) && Object.hasOwn(understood, key);
    return [key, isCommon ? keepUnknown(raw[key], understood[key], value) : value];
  });
  const unknown = Object.entries(raw).filter(
    ([key]) => !Object.hasOwn(understood, key) && !Object.hasOwn(wanted, key),
  );
  return Object.fromEntries([...known, ...unknown]);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
