/** A part of the package that has a licence of its own. */
export type Part = {
  /** Where it lies: in the package, or, where it is bundled, under node_modules. */
  readonly files: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly author: string | null;
  readonly text: string | null;
};

const APACHE =
  "Licensed under the Apache License, Version 2.0. On Debian systems its text is in\n" +
  "/usr/share/common-licenses/Apache-2.0.";

/** Debian's `copyright`, machine-readable, with every licence in full. */
export const copyrightFile = (own: string, parts: readonly Part[]): string => {
  const stanzas = [
    stanza("*", null, "MIT", copyrightLines(own, "the authors of StreamBro"), own),
    ...parts.map(({ files, name, version, licence, author, text }) => {
      const comment = `${name} ${version}`;
      const holder = author ?? `the authors of ${name}`;
      // A name for each text: of the same licence no two are quite the same.
      const called = `${licence}-${name.replace(/^@/, "").replaceAll(/[^a-z0-9.]+/gi, "-")}-${version}`;
      // Of this one Debian has the text, and wants no other copy.
      const full = licence === "Apache-2.0" ? APACHE : (text ?? licence);
      return stanza(files, comment, called, copyrightLines(text ?? "", holder), full);
    }),
  ];
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: streambro
Comment: What lies under node_modules is bundled into usr/lib/streambro/dist, but for koffi, which
 lies there as it came.

${stanzas.join("\n")}`;
};

const stanza = (
  files: string,
  comment: string | null,
  licence: string,
  copyright: readonly string[],
  text: string,
): string =>
  [
    `Files: ${files}`,
    ...(comment === null ? [] : [`Comment: ${comment}`]),
    `Copyright: ${copyright.join("\n ")}`,
    `License: ${licence}`,
    ...text
      .trim()
      .split("\n")
      .map((line) => (line.trim() === "" ? " ." : ` ${line.trimEnd()}`)),
    "",
  ].join("\n");

const copyrightLines = (text: string, otherwise: string): string[] => {
  const found = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^copyright\b.*(\d{4}|\(c\)|©)/i.test(line))
    .map((line) => line.replace(/^copyright:?\s*/i, "").replace(/^(\([cC]\)|©)\s*/, ""));
  const unique = [...new Set(found)].slice(0, 20);
  return unique.length === 0 ? [otherwise] : unique;
};
