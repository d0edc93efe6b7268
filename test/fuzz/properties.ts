import { isDeepStrictEqual } from "node:util";

/** A property that did not hold. */
export class Broken extends Error {}

export const hold = (condition: boolean, what: string): void => {
  if (!condition) throw new Broken(what);
};

/** What would steer a terminal, or make text look like what it is not. */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const CONTROLS_BUT_TABS = /(?!\t)\p{Cc}/u;

/** Of a sentence for people. */
export const isClean = (text: string, what: string): void =>
  hold(!CONTROLS.test(text), `${what} has a control character in it: ${JSON.stringify(text)}`);

/** Of a line of a log, which may have tabs. */
export const isQuiet = (text: string, what: string): void =>
  hold(!CONTROLS_BUT_TABS.test(text), `${what} steers a terminal: ${JSON.stringify(text)}`);

export const isShort = (text: string, most: number, what: string): void =>
  hold(text.length <= most, `${what} has ${text.length} characters`);

/** A number that is one, from `least` on. */
export const isNumber = (
  value: number | null | undefined,
  what: string,
  least = -Infinity,
): void => {
  if (value === null || value === undefined) return;
  hold(
    Number.isFinite(value) && value >= least,
    `${what} is ${Object.is(value, -0) ? "-0" : value}`,
  );
};

/** Every number anywhere in it is finite. */
export const isFinite = (value: unknown, what: string): void => {
  if (typeof value === "number") isNumber(value, what);
  if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) isFinite(inner, `${what}.${key}`);
};

/** Every string anywhere in it, keys too. */
export const eachText = (value: unknown, look: (text: string) => void): void => {
  if (typeof value === "string") look(value);
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    look(key);
    eachText(inner, look);
  }
};

/** What the samples use for a key of a stream, and what must never come out where people look. */
export const SECRET = "hunter2-9f3e-secret-key";

/** No piece of it that would help anybody. */
export const isKept = (text: string, what: string): void =>
  hold(!text.includes(SECRET.slice(0, 7)), `${what} gives away the key: ${JSON.stringify(text)}`);

/** Wherever it is begun to be said it is said whole: a piece that is somewhere by itself is no key. */
export const isSaidWhole = (text: string): boolean =>
  !text.replaceAll(SECRET, "").includes(SECRET.slice(0, 7));

const prototypes = (): readonly unknown[] =>
  [Object, Array, Function, String, Number].map(({ prototype }) => [
    Object.getOwnPropertyNames(prototype).length,
    Object.getPrototypeOf(prototype),
    Object.getOwnPropertyDescriptor(prototype, "toString")?.value,
  ]);

const before = prototypes();

/** What every object inherits is as it was. */
export const isUnpolluted = (): void => {
  hold(isDeepStrictEqual(prototypes(), before), "what every object inherits was changed");
  hold(!("polluted" in {}), "what every object inherits was added to");
};
