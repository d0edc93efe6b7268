/** Labelled facts, one a line, in two columns. */
export const facts = (pairs: ReadonlyArray<readonly [string, string]>): string[] => {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${`${label}:`.padEnd(width + 2)} ${value}`.trimEnd());
};
