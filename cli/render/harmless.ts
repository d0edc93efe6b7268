/** Control characters, but for tabs, line breaks and the colours that this program paints with itself. */
const CONTROLS = /(?!\t|\n|\u001B\[(?:3[0-9]|39)m)\p{Cc}/gu;

/** Text for a terminal, of which nothing steers it, whoever has written what is in it. */
export const harmless = (text: string): string => text.replaceAll(CONTROLS, "\uFFFD");

/**
 * JSON in which everything is written out that a terminal would obey or that would turn text around; what
 * is read from it is the same.
 */
export const harmlessJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) =>
    found
      .split("")
      .map((unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
