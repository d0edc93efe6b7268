/** Words as a shell takes them, in one line. */
export const commandLine = (argv: readonly string[]): string => argv.map(quoted).join(" ");

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
