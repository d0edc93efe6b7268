/** Text as man(7) needs it, so that it comes out as it was, hyphens to be copied included. */
export const escaped = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll('"', "\\(dq")
    .replace(/[^\n\t -~]/gu, (letter) => {
      const number = letter.codePointAt(0) ?? 0;
      return `\\[u${number.toString(16).toUpperCase().padStart(4, "0")}]`;
    });

/** A line of text: a dot at its beginning would be a request. */
const line = (text: string): string => escaped(text).replace(/^(?=\.)/, "\\&");

export const heading = (title: string): string => `.SH ${escaped(title)}`;
export const subheading = (title: string): string => `.SS ${escaped(title)}`;

/** Paragraphs that are filled anew, whatever their lines were; an empty line parts two of them. */
export const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n\s*\n/)
    .map(
      (one) =>
        `.PP\n${one
          .split("\n")
          .map((part) => line(part.trim()))
          .join("\n")}`,
    )
    .join("\n");

/** What is explained, in bold, and its explanation. */
export const entry = (term: string, about: string): string =>
  `.TP\n\\fB${escaped(term)}\\fR\n${
    about === ""
      ? "\\&"
      : about
          .split("\n")
          .map((part) => line(part.trim()))
          .join("\n")
  }`;

/** Lines that stay as they are. */
export const example = (lines: readonly string[]): string =>
  `.PP\n.RS 2\n.EX\n${lines.map(line).join("\n")}\n.EE\n.RE`;

/** The page's first lines. No date: it would be that of the build. */
export const title = (name: string, section: number, version: string, one: string): string =>
  [
    `.\\" Made from the program's own definitions; changes belong there.`,
    `.TH ${name.toUpperCase()} ${section} "" "streambro ${escaped(version)}" "StreamBro"`,
    // Neither hyphenated nor spread: commands are to be copied.
    ".nh",
    ".ad l",
    heading("NAME"),
    `${escaped(name)} \\- ${escaped(one)}`,
  ].join("\n");

export const page = (...parts: readonly string[]): string =>
  `${parts.filter((part) => part !== "").join("\n")}\n`;
