const WITHOUT_WIDTH = /\p{M}|\u200D/u;
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}]|[\u{20000}-\u{3FFFD}]/u;
const ASCII = /^[ -~]*$/;

const cells = (character: string): number => {
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
};

/** How many columns of a terminal the text takes. */
export const textWidth = (text: string): number => {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cells(character);
  return width;
};

/** The text cut to a number of columns, with an ellipsis where something is missing. */
export const fit = (text: string, most: number): string => {
  if (textWidth(text) <= most) return text;
  if (most <= 0) return "";
  let width = 1;
  let kept = "";
  for (const character of text) {
    width += cells(character);
    if (width > most) break;
    kept += character;
  }
  return `${kept}…`;
};
