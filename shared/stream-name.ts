/** What a stream may be called: safe as a file name, in a URL and on a command line. */
export const STREAM_NAME: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const isStreamName = (text: string): boolean => STREAM_NAME.test(text);

/** The sentence for a name that is not one. */
export const streamNameRule = (text: string): string =>
  `"${printable(text)}" cannot be a stream's name: use 1 to 63 of a-z, 0-9, dot, underscore and hyphen, ` +
  "starting with a letter or a digit.";

/** Untrusted text made safe to print: no control characters, bounded. */
export const printable = (text: string, most = 200): string => {
  const clean = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\uFFFD");
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
};
