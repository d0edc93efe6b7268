/** A control character, with a colour after it where it is the one that begins that. */
const CONTROLS = /\p{Cc}(?:\[3[0-9]m)?/gu;

const ESCAPE = "\u001B";

/**
 * Text for a terminal, of which nothing steers it, whoever has written what is in it: tabs, line breaks
 * and the colours that this program paints with are left of all control characters.
 */
export const harmless = (text: string): string =>
  text.replaceAll(CONTROLS, (found) => {
    const [first] = found;
    const isColour = first === ESCAPE && found.length > 1;
    return isColour || first === "\t" || first === "\n" ? found : `\uFFFD${found.slice(1)}`;
  });

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
