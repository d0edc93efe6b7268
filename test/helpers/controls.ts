/** Text without the colours that `streambro` paints with. */
const uncoloured = (text: string): string =>
  [31, 32, 33, 39].reduce((left, colour) => left.replaceAll(`\u001B[${colour}m`, ""), text);

/** Whether something in it would steer a terminal. */
export const steers = (text: string): boolean => /(?!\t|\n)\p{Cc}/u.test(uncoloured(text));

/** The same, or would make it look like what it is not. */
export const deceives = (text: string): boolean => steers(text) || /\p{Cf}/u.test(text);
