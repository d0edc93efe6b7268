/**
 * FFmpeg's words without secrets. It is not told a key where it could repeat it; should a release of it do
 * so, it stops here. Not for our own words: what is missing in a known sentence is the key.
 */
export const masked = (text: string, secrets: readonly string[]): string =>
  // Of two, the one that holds the other first.
  secrets
    .toSorted((one, other) => other.length - one.length)
    .reduce((left, secret) => left.replaceAll(secret, "****"), text);
